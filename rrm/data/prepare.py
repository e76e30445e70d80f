"""Preparing: an intent goes in; `train.parquet`, `validation.parquet` and `data.json` come out on the volume.

Same input, same bytes: nothing written here depends on the time or the machine.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rrm.data.identity import Found, claim_identity, pinned
from rrm.data.parts import Part, Progress, Renderer, read_parts, require_rows, split_off
from rrm.data.rows import PreparedRow
from rrm.data.tokens import ModelTokenizer, load_tokenizer
from rrm.data.written import (
    TRAIN_FILE,
    VALIDATION_FILE,
    digest_of_content,
    digest_of_rows,
    write_rows,
    write_text,
)
from rrm.datasets import label_of
from rrm.judge.baselines import Floor, fit_floors, score_floors
from rrm.judge.metrics import as_metrics
from rrm.presets import Hyperparameters, resolve
from rrm.reasoning import resolve_reasoning
from rrm_api.run import Intent, Layout, Prepared
from rrm_api.status import DataStatus, DroppedRows

REPORT_FILE = "data.json"


@dataclass(frozen=True)
class Rows:
    """The prepared rows of both parts and their floors."""

    train: list[PreparedRow]
    validation: list[PreparedRow]
    floors: tuple[Floor, ...]
    floor_rewards: dict[str, float]

    @property
    def count(self) -> int:
        """Rows of both parts."""
        return len(self.train) + len(self.validation)

    @property
    def digest(self) -> str:
        """Digest of what both parts say."""
        return digest_of_content(self.train, self.validation)


def prepare(
    intent: Intent, *, layout: Layout, claims: Path, on_progress: Callable[[Progress], None]
) -> Prepared:
    """Write the prepared rows of a training and return what was found and resolved.

    Args:
        intent: What is wanted.
        layout: Where the training lies on the volume.
        claims: Folder that holds each other claim under its name.
        on_progress: Told after each piece of work.

    Raises:
        DataInvalid: If the rows are not usable.
        InvalidSpec: If numbers do not fit together or do not fit the rows.
        ModelUnavailable: If weights, tokenizer or chat template are missing.
        CheckpointMismatch: If the folder holds checkpoints of another training or of other rows.
        VolumeUnavailable, HubUnreachable: If a claim is not here, or the hub does not answer.
    """
    numbers = resolve(intent)
    source = pinned(intent, layout)
    parts = read_parts(source.data, claims=claims, on_progress=on_progress)
    tokenizer = load_tokenizer(source.model, claims=claims)
    renderer = Renderer(intent, tokenizer, resolve_reasoning(intent.model), numbers.max_prompt_tokens)
    rows = _rows(intent, parts, renderer)
    on_progress(Progress("rendered and measured", rows.count))
    total_steps = numbers.total_steps(len(rows.train))  # refused before anything is written
    claim_identity(intent, layout, _found(rows, tokenizer, parts))
    prepared = Prepared(
        data=_write(layout.data, rows, parts),
        read_rows=sum(sum(part.read) for part in parts),
        total_steps=total_steps,
        evaluate_every_steps=numbers.evaluate_every_steps,
        save_every_steps=numbers.save_every_steps,
        preset=numbers.preset,
        model_revision=tokenizer.revision,
        floors=as_metrics(rows.floor_rewards),
    )
    write_text(layout.data / REPORT_FILE, _as_json(_report(prepared, rows, parts, numbers)))
    on_progress(Progress(f"wrote {layout.data}", rows.count))
    return prepared


def _rows(intent: Intent, parts: tuple[Part, Part], renderer: Renderer) -> Rows:
    train, validation = parts
    train_rows = renderer.render(train)
    require_rows(train, train_rows)
    if validation.sources:
        validation_rows = renderer.render(validation)
        require_rows(validation, validation_rows)
    else:
        train_rows, validation_rows = split_off(train_rows, intent.data)
    scale = train_rows[0].candidate.scale
    floors = fit_floors([row.candidate.label for row in train_rows], scale=scale, reward=intent.reward)
    labels = [row.candidate.label for row in validation_rows]
    scores = score_floors(floors, labels, scale=scale, reward=intent.reward)
    return Rows(train_rows, validation_rows, floors, scores)


def _found(rows: Rows, tokenizer: ModelTokenizer, parts: tuple[Part, Part]) -> Found:
    train, validation = parts
    return Found(rows.digest, tokenizer.revision, train.revisions, validation.revisions)


def _write(folder: Path, rows: Rows, parts: tuple[Part, Part]) -> DataStatus:
    write_rows(folder / TRAIN_FILE, rows.train)
    write_rows(folder / VALIDATION_FILE, rows.validation)
    return DataStatus(
        train=len(rows.train),
        validation=len(rows.validation),
        dropped=_dropped(*parts),
        digest=digest_of_rows(folder),
    )


def _dropped(*parts: Part) -> list[DroppedRows]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.tally.counts)
    return [DroppedRows(reason=reason, rows=rows) for reason, rows in sorted(counts.items())]


def _report(
    prepared: Prepared, rows: Rows, parts: tuple[Part, Part], numbers: Hyperparameters
) -> dict[str, Any]:
    """Return the data report: counts, first examples, label shares, lengths, floors, commits, one prompt."""
    return {
        "prepared": prepared.manifest(),
        "limits": {"maxPromptTokens": numbers.max_prompt_tokens},
        "parts": {
            part.name: {
                "sources": [
                    {"uri": source.uri, "label": label_of(source), "revision": revision, "read": read}
                    for source, revision, read in zip(part.sources, part.revisions, part.read, strict=True)
                ],
                "dropped": {
                    reason: {"rows": count, "example": part.tally.examples.get(reason, "")}
                    for reason, count in sorted(part.tally.counts.items())
                },
                **_statistics(kept),
            }
            for part, kept in zip(parts, (rows.train, rows.validation), strict=True)
        },
        "floors": {
            floor.name: {"shares": floor.shares, "reward": rows.floor_rewards[floor.name]}
            for floor in rows.floors
        },
        "example": rows.train[0].messages,
    }


def _as_json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _statistics(rows: Sequence[PreparedRow]) -> dict[str, Any]:
    labels = Counter(row.candidate.label for row in rows)
    tokens = sorted(row.prompt_tokens for row in rows)
    return {
        "rows": len(rows),
        "prompts": len({row.candidate.group for row in rows}),
        "labels": {f"{label:g}": labels[label] for label in sorted(labels)},
        "promptTokens": {"min": tokens[0], "median": tokens[len(tokens) // 2], "max": tokens[-1]},
    }
