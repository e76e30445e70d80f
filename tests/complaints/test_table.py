"""The table of complaints is whole, and the page and the tests are what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.complaints.complaint import Complaint
from tests.complaints.table import COMPLAINTS, HERE, PAGE, about, page, verdict_of, written

ROOT = HERE.parents[1]
OWN = Path(__file__).name


def test_every_complaint_is_there_once() -> None:
    assert [it.number for it in COMPLAINTS] == list(range(1, 96))
    issues = [issue for it in COMPLAINTS for issue in it.issues]
    assert len(issues) == len(set(issues))


@pytest.mark.parametrize("row", COMPLAINTS, ids=lambda row: str(row.number))
def test_every_complaint_has_one_verdict_and_says_what_the_anchor_does(row: Complaint) -> None:
    assert verdict_of(row)
    assert row.anchor or about(row)
    assert all(test.anchor for test in about(row)), "each test says it in its docstring"


def test_every_test_is_named_after_a_complaint() -> None:
    known = tuple(prefix for row in COMPLAINTS for prefix in row.prefixes)
    assert [it.name for it in written() if it.file != OWN and not it.name.startswith(known)] == []


def test_the_page_is_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make generate"


def test_every_test_of_the_table_is_collected() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    collected = {
        line.partition("::")[2].partition("[")[0] for line in done.stdout.splitlines() if "::" in line
    }
    assert collected == {it.name for it in written()}, done.stdout[-2000:]
