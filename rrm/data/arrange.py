"""Kept rows become the three parts: drawn, split by prompt, balanced in order, and written row by row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rrm.data.order import Order, examine
from rrm.data.parts import TEST, TRAIN, VALIDATION, Parts, Progress, limited
from rrm.data.rows import Kept
from rrm.data.spill import Spill
from rrm.data.split import Held, hold_groups
from rrm.errors import InvalidSpec
from rrm.judge.surface import FloorRow
from rrm.scales import Scale
from rrm_api.run import Intent
from rrm_api.spec_data import Data
from rrm_api.spec_train import Method


@dataclass(frozen=True)
class Arranged:
    """The rows of one part in the order they are written.

    Attributes:
        name: `train`, `validation` or `test`.
        rows: Its rows.
        order: Which answer of a pair wins how often, and which pairs are turned; None for single answers.
    """

    name: str
    rows: list[Kept]
    order: Order | None = None

    def is_turned(self, row: Kept) -> bool:
        """Return whether a pair is written in the other order than its source has it."""
        return self.order is not None and row.names.pair in self.order.turned

    def row_id(self, row: Kept) -> str:
        """Return the name of a row as it is written."""
        return row.names.turned if self.is_turned(row) and row.names.turned else row.names.row

    def label(self, row: Kept) -> float:
        """Return the label of a row as it is written."""
        return -row.label + 0.0 if self.is_turned(row) else row.label

    @property
    def labels(self) -> list[float]:
        """Labels as they are written."""
        return [self.label(row) for row in self.rows]

    @property
    def strengths(self) -> list[float]:
        """How clear each preference is, in [0, 1]; the same in both orders."""
        return [row.strength for row in self.rows]

    @property
    def tokens(self) -> list[int]:
        """Prompt lengths as they are written, where each prompt asks about one order."""
        return [row.turned_tokens if self.is_turned(row) else row.tokens for row in self.rows]


@dataclass(frozen=True)
class RowWriter:
    """How a kept row is written.

    Attributes:
        spill: Holds its texts.
        scale: Range of its label.
        asks_both_ways: Whether a row carries the prompts of both orders.
    """

    spill: Spill
    scale: Scale
    asks_both_ways: bool

    def records(self, part: Arranged) -> Iterator[dict[str, Any]]:
        """Yield the rows of a part by the columns of the prepared files."""
        for row in part.rows:
            yield self._record(part, row)

    def floor_rows(self, part: Arranged) -> Iterator[FloorRow]:
        """Yield what floors that read answers see of the rows of a part."""
        for row in part.rows:
            texts = self.spill.record(row.at)
            yield FloorRow(
                row_id=part.row_id(row),
                question=texts["question"],
                answers=tuple(texts["answers"][:: -1 if part.is_turned(row) else 1]),
                label=part.label(row),
                strength=row.strength,
            )

    def _record(self, part: Arranged, row: Kept) -> dict[str, Any]:
        texts = self.spill.record(row.at)
        messages, samples = texts["messages"], texts.get("samples", [None, None])
        first = 1 if part.is_turned(row) else 0
        tokens = (row.tokens, row.turned_tokens)
        return {
            "row_id": part.row_id(row),
            "prompt_group": row.group,
            "pair_id": row.names.pair,
            "data_source": row.data_source,
            "messages": messages[first],
            "messages_swapped": messages[1 - first] if self.asks_both_ways else None,
            "label": part.label(row),
            "strength": row.strength,
            "scale_low": float(self.scale.low),
            "scale_high": float(self.scale.high),
            "prompt_tokens": max(tokens) if self.asks_both_ways else tokens[first],
            "sample": samples[first],
        }


def arrange(intent: Intent, parts: Parts, on_progress: Callable[[Progress], None]) -> dict[str, Arranged]:
    """Return the parts as they are written, by name; `test` is there only if the spec asks for it.

    Raises:
        DataInvalid: If a part has no rows.
        InvalidSpec: If the shares leave a part without prompts.
    """
    data = intent.data
    rows = {part.name: limited(part, seed=data.seed) for part in parts.rated if part.sources}
    held = _held(rows[TRAIN], data)
    for name, groups in ((VALIDATION, held.validation), (TEST, held.test)):
        if groups:
            rows[name] = [row for row in rows[TRAIN] if row.group in groups]
    rows[TRAIN] = [row for row in rows[TRAIN] if row.group not in held.validation | held.test]
    names = [name for name in (TRAIN, VALIDATION, TEST) if name in rows]
    return {name: _balanced(name, rows[name], intent, on_progress) for name in names}


def _held(rows: list[Kept], data: Data) -> Held:
    """Return the prompt groups that leave training for parts that are shares of it."""
    test = data.test.fraction if data.test is not None else None
    fractions = {
        name: float(fraction)
        for name, fraction in ((VALIDATION, data.validation.fraction), (TEST, test))
        if fraction is not None
    }
    if not fractions:
        return Held()
    groups = {row.group for row in rows}
    is_possible = min(fractions.values()) > 0 and sum(fractions.values()) < 1
    held = hold_groups(groups, validation=fractions.get(VALIDATION), test=fractions.get(TEST), seed=data.seed)
    if held is None or not is_possible:
        said = " and ".join(f"spec.data.{name}.fraction is {share:g}" for name, share in fractions.items())
        raise InvalidSpec(
            f"{said} of {len(groups)} prompts; a share between 0 and 1 that leaves prompts on both sides "
            "is required"
        )
    return held


def _balanced(
    name: str, rows: list[Kept], intent: Intent, on_progress: Callable[[Progress], None]
) -> Arranged:
    if intent.method is not Method.PAIRWISE:
        return Arranged(name, rows)
    order = examine(rows, seed=intent.data.seed)
    if order.turned:
        on_progress(
            Progress(
                f"turned {name} pairs round, as the first answer won {order.before:.1%} of {order.pairs}, "
                f"now {order.after:.1%}",
                len(order.turned),
            )
        )
    return Arranged(name, rows, order)
