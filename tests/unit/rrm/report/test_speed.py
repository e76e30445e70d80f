"""How long a report of a long run takes: printed beside the bar, as a busy machine proves nothing."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from make_run import Try

from rrm.report.write import write_report

BAR_SECONDS = 5.0


@pytest.mark.bench
def test_a_report_of_400_steps_and_21_validations_of_1000_answers(make: Callable[..., Path]) -> None:
    root = make(
        name="long", total_steps=400, evaluate_every=20, save_every=40, rows=1000, tries=(Try(0, 400),)
    )
    assert len(list(root.glob("attempt-1/validation-*.parquet"))) == 21
    start = time.perf_counter()
    written = write_report(root, root / "report.html", now="2026-03-01T12:00:00Z")
    seconds = time.perf_counter() - start
    kilobytes = written.page.stat().st_size // 1000
    print("\nreport of 400 steps, 21 validations of 1,000 answers: ", end="")
    print(f"{seconds:.2f} s, bar {BAR_SECONDS} s, page {kilobytes} kB")
    assert written.report.judged.lift is not None
    assert kilobytes < 1000
