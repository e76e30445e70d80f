from pathlib import Path

import pytest

from rrm_test_cluster.suite import STAGES, Outcome, read_report

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><skipped message="needs root"/></testcase>
<testcase name="d"><error message="x"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted_with_the_reasons_of_its_skips(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(REPORT)
    outcome = read_report("api", tmp_path / "r.xml", 1, 2.0)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, ("needs root",))
    assert not outcome.is_good


def test_a_stage_without_a_report_is_no_success(tmp_path: Path) -> None:
    assert not read_report("api", tmp_path / "absent.xml", 0, 2.0).is_good


def test_a_stage_in_which_nothing_ran_is_no_success() -> None:
    assert not Outcome("node", 0, 0, 0, ("needs root",), 1.0).is_good


@pytest.mark.parametrize("marks", ["api", "fakenodes", "node", "verl"])
def test_every_mark_has_a_stage(marks: str) -> None:
    assert any(stage.marks.startswith(marks) for stage in STAGES)
