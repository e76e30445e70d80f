from itertools import product
from pathlib import Path

import pytest

from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.suite import LANES, Outcome, read_report, summary

MARKS = ("api", "fakenodes", "node", "verl", "interop", "browser", "slow")
REPORT = """<testsuites><testsuite>
<testcase name="a"/>
<testcase classname="tests.e2e.test_x" name="b"><failure message="assert 1 == 2&#10;more"/></testcase>
<testcase name="c"><skipped message="needs root"/></testcase>
<testcase classname="tests.e2e.test_x" name="d"><error message="x"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted_with_the_reasons_of_its_skips(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(REPORT)
    outcome = read_report("api", tmp_path / "r.xml", 1, 2.0)
    assert (outcome.passed, len(outcome.failed), outcome.skipped) == (1, 2, ("needs root",))
    assert not outcome.is_good


def test_a_report_names_each_test_that_failed_and_why(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(REPORT)
    outcome = read_report("api", tmp_path / "r.xml", 1, 2.0)
    assert outcome.failed == ("tests.e2e.test_x::b: assert 1 == 2\n    more", "tests.e2e.test_x::d: x")


def test_of_a_long_failure_the_first_line_and_the_last_ones_are_told(tmp_path: Path) -> None:
    lines = ["operator: ended with exit code 1", *map(str, range(9)), "OSError: address already in use"]
    message = "&#10;".join(lines)
    (tmp_path / "r.xml").write_text(
        f"""<t><testcase name="a"><failure message="{message}"/></testcase></t>"""
    )
    (told,) = read_report("api", tmp_path / "r.xml", 1, 2.0).failed
    expected = [f"::a: {lines[0]}", "    ...", "    7", "    8", "    OSError: address already in use"]
    assert told.splitlines() == expected


def test_who_has_only_the_end_of_the_log_reads_which_tests_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.xml").write_text(REPORT)
    assert summary([read_report("api", tmp_path / "r.xml", 1, 2.0)], Teller()) == 1
    end = capsys.readouterr().out.splitlines()
    assert "FAILED api: tests.e2e.test_x::b: assert 1 == 2" in end
    assert end[-1] == "1 passed, 2 failed, 1 skipped"


def test_a_stage_without_a_report_is_no_success(tmp_path: Path) -> None:
    assert not read_report("api", tmp_path / "absent.xml", 0, 2.0).is_good


def test_a_stage_in_which_nothing_ran_is_no_success() -> None:
    assert not Outcome("node", 0, 0, (), ("needs root",), 1.0).is_good


@pytest.mark.parametrize("marks", MARKS)
def test_every_mark_has_a_stage(marks: str) -> None:
    assert any(stage.marks.startswith(marks) for lane in LANES for stage in lane)


@pytest.mark.parametrize("marks", list(product((False, True), repeat=len(MARKS))), ids=str)
def test_every_test_belongs_to_one_stage_and_benches_to_none(marks: tuple[bool, ...]) -> None:
    """A test of no mark at all is a unit test, which `make check` runs."""
    stages = [stage for lane in LANES for stage in lane]

    def chosen(*, bench: bool = False, long: bool = False) -> list[str]:
        held = dict(zip(MARKS, marks, strict=True)) | {"bench": bench, "long": long}
        return [stage.name for stage in stages if eval(stage.marks, {}, held)]

    assert len(chosen()) == int(any(marks))
    assert chosen(bench=True) == []
    assert chosen(long=True) == []
