"""How long a report of a long run takes: printed beside the bar, as a busy machine proves nothing."""

import sys
import time
from pathlib import Path

import pytest

from rrm.report.write import write_report

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "recorded_run"))  # the maker is a script

from make_run import Plan, Try, record

BAR_SECONDS = 5.0

pytestmark = pytest.mark.bench


def test_a_report_of_400_steps_and_21_validations_of_1000_answers(tmp_path: Path) -> None:
    plan = Plan(
        name="long", total_steps=400, evaluate_every=20, save_every=40, rows=1000, tries=(Try(0, 400),)
    )
    root = record(tmp_path, plan)
    assert len(list(root.glob("attempt-1/validation-*.parquet"))) == 21
    start = time.perf_counter()
    written = write_report(root, root / "report.html", now="2026-03-01T12:00:00Z")
    seconds = time.perf_counter() - start
    kilobytes = written.page.stat().st_size // 1000
    print("\nreport of 400 steps, 21 validations of 1,000 answers: ", end="")
    print(f"{seconds:.2f} s, bar {BAR_SECONDS} s, page {kilobytes} kB")
    assert written.report.judged.lift is not None
    assert kilobytes < 1000
