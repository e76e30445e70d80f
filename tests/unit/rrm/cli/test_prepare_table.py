"""The table at the end of `rrm prepare`: what the data report knows beyond the status."""

from typing import Any

from rich.console import Console

from rrm.cli.prepare import data_table
from rrm_api.run import Prepared
from rrm_api.status import DataStatus, DroppedRows, Metric

PREPARED = Prepared(
    data=DataStatus(train=80, validation=10, dropped=[DroppedRows(reason="duplicate", rows=3)], digest="d"),
    read_rows=120,
    total_steps=10,
    evaluate_every_steps=5,
    save_every_steps=10,
    preset="pairwise-v1",
    floors=[Metric(name="always-first", value="0.5")],
)
ORDER = {"untiedPairs": 80, "firstWins": 0.9, "firstWinsAfter": 0.5, "pValue": 1e-9, "turned": 32}
REPORT: dict[str, Any] = {
    "parts": {
        "train": {"rows": 80, "order": ORDER},
        "validation": {"rows": 10, "order": ORDER | {"firstWins": 0.5, "turned": 0, "untiedPairs": 10}},
        "test": {"rows": 20},
    },
    "decontamination": [
        {"uri": "hf://org/bench", "samePrompt": {"rows": 2}, "thirteenWords": {"rows": 5}},
    ],
}


def lines(report: dict[str, Any] | None) -> list[str]:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(data_table(PREPARED, report))
    return [" ".join(line.replace("\u2502", " ").split()) for line in capture.get().splitlines()]


def test_test_rows_order_and_overlap_are_shown() -> None:
    shown = lines(REPORT)
    assert "test rows 20" in shown
    assert "first answer wins: train 90.0% of 80, 32 turned: 50.0%" in shown
    assert "first answer wins: validation 50.0% of 10" in shown
    assert "overlap: hf://org/bench 2 by prompt, 5 by 13 words in a row" in shown


def test_without_a_report_the_table_says_what_the_status_knows() -> None:
    shown = lines(None)
    assert "dropped: duplicate 3" in shown
    assert not any("test rows" in line or "overlap" in line for line in shown)
