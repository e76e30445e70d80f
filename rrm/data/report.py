"""`data.json`: what became of the rows, for people and for `rrm prepare`'s table."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from rrm.data.arrange import Arranged
from rrm.data.decontaminate import SAME_PROMPT, SAME_WORDS, Benchmarks
from rrm.data.order import Order
from rrm.data.parts import Part, Parts
from rrm.data.validate import Tally
from rrm.data.written import write_text
from rrm.datasets import label_of
from rrm_api.run import Layout

REPORT_FILE: Final = "data.json"
COMPARED: Final = "whole prompts, and 13 words in a row of what users say; answers are not compared"


def part_reports(parts: Parts, arranged: Mapping[str, Arranged]) -> dict[str, Any]:
    """Return sources, drops with first examples, labels, lengths and order of each part, by its name."""
    return {
        part.name: {
            "sources": _sources(part),
            "dropped": _drops(part.tally),
            **_statistics(arranged[part.name]),
            **_order(arranged[part.name].order),
        }
        for part in parts.rated
        if part.name in arranged
    }


def benchmark_reports(benchmarks: Benchmarks) -> list[dict[str, Any]]:
    """Return what was read of each benchmark, and the training rows that overlapped, with examples."""
    return [
        {
            "uri": entry.uri,
            "revision": entry.revision,
            "compared": COMPARED,
            "read": entry.count.read,
            "invalid": _drops(entry.invalid),
            "samePrompt": _drop(entry.overlaps, SAME_PROMPT),
            "thirteenWords": _drop(entry.overlaps, SAME_WORDS),
        }
        for entry in benchmarks.entries
    ]


def write_report(layout: Layout, report: Mapping[str, Any]) -> None:
    """Write the report of a training's data."""
    write_text(layout.data / REPORT_FILE, json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def read_report(layout: Layout) -> dict[str, Any]:
    """Return the report of a training's data."""
    report: dict[str, Any] = json.loads((layout.data / REPORT_FILE).read_text(encoding="utf-8"))
    return report


def _sources(part: Part) -> list[dict[str, Any]]:
    return [
        {"uri": source.uri, "label": label_of(source), "revision": revision, "read": read}
        for source, revision, read in zip(part.sources, part.revisions, part.read, strict=True)
    ]


def _drops(tally: Tally) -> dict[str, Any]:
    return {reason: _drop(tally, reason) for reason in sorted(tally.counts)}


def _drop(tally: Tally, reason: str) -> dict[str, Any]:
    return {"rows": tally.counts.get(reason, 0), "example": tally.examples.get(reason, "")}


def _statistics(part: Arranged) -> dict[str, Any]:
    labels = Counter(part.labels)
    tokens = sorted(part.tokens)
    return {
        "rows": len(part.rows),
        "prompts": len({row.group for row in part.rows}),
        "labels": {f"{label:g}": labels[label] for label in sorted(labels)},
        "promptTokens": {"min": tokens[0], "median": tokens[len(tokens) // 2], "max": tokens[-1]},
    }


def _order(order: Order | None) -> dict[str, Any]:
    if order is None:
        return {}
    return {
        "order": {
            "untiedPairs": order.pairs,
            "firstWins": round(order.before, 6),
            "pValue": float(f"{order.p_value:.3g}"),
            "turned": len(order.turned),
            "firstWinsAfter": round(order.after, 6),
        }
    }
