"""Preparing: an intent goes in; train, validation and test rows and `data.json` come out on the volume.

Rows stream: read, checked, asked about and measured a few at a time, their texts put aside in a file; once it
is known which rows are wanted they are written in their order. Same input, same bytes: nothing written here
depends on the time or the machine.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from rrm.data.arrange import Arranged, RowWriter, arrange
from rrm.data.decontaminate import Benchmarks
from rrm.data.identity import Found, claim_identity, pinned
from rrm.data.parts import TEST, TRAIN, VALIDATION, Part, PartReader, Parts, Progress, locate, shared_scale
from rrm.data.render import Renderer
from rrm.data.report import benchmark_reports, part_reports, write_report
from rrm.data.spill import Spill, workplace
from rrm.data.split import draw_rows
from rrm.data.tokens import ModelTokenizer, load_tokenizer
from rrm.data.written import digest_of_rows, publish, write_rows
from rrm.judge.baselines import Floor, fit_floors, score_floors
from rrm.judge.guesses_file import FLOORS_FILE, write_guesses
from rrm.judge.metrics import as_metrics
from rrm.judge.surface import Guess, fit_surface_floors, mean_rewards
from rrm.presets import Hyperparameters, resolve
from rrm.reasoning import resolve_reasoning
from rrm.scales import Scale
from rrm_api.run import Intent, Layout, Prepared
from rrm_api.status import DataStatus, DroppedRows

_MOST_REASONS: Final = 32
"""So many reasons fit into the status."""
_OTHER: Final = "other reasons"
MOST_FITTED: Final = 20_000
"""Surface floors are fitted on so many training rows at most: a dozen weights do not move any more by then,
and texts are read once more for them."""


@dataclass(frozen=True)
class Rows:
    """The rows of all parts by name, how each is written, and the floors that answers are held against."""

    parts: Mapping[str, Arranged]
    writer: RowWriter
    floors: tuple[Floor, ...]
    guesses: tuple[Guess, ...]
    floor_rewards: dict[str, float]

    @property
    def count(self) -> int:
        """Rows of all parts."""
        return sum(len(part.rows) for part in self.parts.values())


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
        PluginFailed: If a converter or template of the user is not there or not one.
        VolumeUnavailable, HubUnreachable: If a claim is not here, or the hub does not answer.
    """
    numbers = resolve(intent)
    source = pinned(intent, layout)
    parts = locate(source.data, claims=claims)
    scale = shared_scale(parts, intent.method)
    tokenizer = cache(partial(load_tokenizer, source.model, claims=claims))
    with workplace(layout) as folder, Spill(folder / "texts.jsonl") as spill:
        renderer = _renderer(intent, tokenizer, numbers, spill)
        benchmarks = PartReader(intent, scale, renderer, on_progress).read_all(parts)
        rows = _rows(intent, arrange(intent, parts, on_progress), spill, scale)
        on_progress(Progress("rendered and measured", rows.count))
        numbers.total_steps(len(rows.parts[TRAIN].rows))  # refuses too few before anything is written
        files, digest = _write(folder, rows)
        claim_identity(intent, layout, _found(digest, tokenizer(), parts))
        publish(files, layout.data)
        example = next(rows.writer.records(rows.parts[TRAIN]))["messages"]
    prepared = _prepared(layout, rows, parts, numbers, model_revision=tokenizer().revision)
    shown = {"limits": {"maxPromptTokens": numbers.max_prompt_tokens}, "example": example}
    write_report(layout, _report(prepared, rows, parts, benchmarks) | shown)
    on_progress(Progress(f"wrote {layout.data}", rows.count))
    return prepared


def _prepared(
    layout: Layout, rows: Rows, parts: Parts, numbers: Hyperparameters, *, model_revision: str | None
) -> Prepared:
    return Prepared(
        data=_status(layout.data, rows, parts),
        read_rows=sum(sum(part.read) for part in parts.rated),
        total_steps=numbers.total_steps(len(rows.parts[TRAIN].rows)),
        evaluate_every_steps=numbers.evaluate_every_steps,
        save_every_steps=numbers.save_every_steps,
        preset=numbers.preset,
        model_revision=model_revision,
        floors=as_metrics(rows.floor_rewards),
    )


def _renderer(
    intent: Intent, tokenizer: Callable[[], ModelTokenizer], numbers: Hyperparameters, spill: Spill
) -> Renderer:
    customs = (source.entry_point for source in intent.data.train)
    own = (intent.template.entry_point, intent.reward.entry_point, *customs)
    return Renderer(
        tokenizer=tokenizer,
        reasoning=resolve_reasoning(intent.model),
        max_prompt_tokens=numbers.max_prompt_tokens,
        keeps_samples=any(entry_point is not None for entry_point in own),
        spill=spill,
    )


def _rows(intent: Intent, parts: Mapping[str, Arranged], spill: Spill, scale: Scale) -> Rows:
    pairwise = intent.reward.pairwise
    asks_both_ways = pairwise is not None and float(pairwise.swap_consistency_weight) > 0
    writer = RowWriter(spill, scale, asks_both_ways)
    train, validation = parts[TRAIN], parts[VALIDATION]
    floors = fit_floors(train.labels, scale=scale, reward=intent.reward)
    scores = score_floors(
        floors, validation.labels, scale=scale, reward=intent.reward, strengths=validation.strengths
    )
    fitted = draw_rows(train.rows, limit=MOST_FITTED, seed=intent.data.seed)
    guesses = fit_surface_floors(
        writer.floor_rows(replace(train, rows=fitted)),
        writer.floor_rows(validation),
        scale=scale,
        reward=intent.reward,
    )
    return Rows(parts, writer, floors, guesses, {**scores, **mean_rewards(guesses)})


def _write(folder: Path, rows: Rows) -> tuple[list[Path], str]:
    """Return the finished files, rows and floors, and the digest of what training and validation rows say."""
    files, learned, kept_back = [], sha256(), sha256()
    for name, part in rows.parts.items():
        file = folder / f"{name}.parquet"
        write_rows(file, rows.writer.records(part), kept_back if name == TEST else learned)
        files.append(file)
    write_guesses(folder / FLOORS_FILE, rows.guesses)
    return [*files, folder / FLOORS_FILE], "sha256:" + learned.hexdigest()


def _found(digest: str, tokenizer: ModelTokenizer, parts: Parts) -> Found:
    return Found(
        rows=digest,
        model_revision=tokenizer.revision,
        train_revisions=parts.train.revisions,
        validation_revisions=parts.validation.revisions,
        test_revisions=parts.test.revisions,
        benchmark_revisions=parts.benchmarks.revisions,
    )


def _status(folder: Path, rows: Rows, parts: Parts) -> DataStatus:
    return DataStatus(
        train=len(rows.parts[TRAIN].rows),
        validation=len(rows.parts[VALIDATION].rows),
        dropped=_dropped(parts.rated),
        digest=digest_of_rows(folder),
    )


def _dropped(parts: Sequence[Part]) -> list[DroppedRows]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.tally.counts)
    if len(counts) > _MOST_REASONS:
        frequent = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: _MOST_REASONS - 1])
        counts = Counter(frequent | {_OTHER: counts.total() - sum(frequent.values())})
    return [DroppedRows(reason=reason, rows=rows) for reason, rows in sorted(counts.items())]


def _report(prepared: Prepared, rows: Rows, parts: Parts, benchmarks: Benchmarks) -> dict[str, Any]:
    """Return the data report: counts, first examples, label shares, lengths, order, overlaps, floors."""
    shares = {floor.name: floor.shares for floor in rows.floors}
    return {
        "prepared": prepared.manifest(),
        "parts": part_reports(parts, rows.parts),
        "decontamination": benchmark_reports(benchmarks),
        "floors": {
            name: {"reward": reward, **({"shares": shares[name]} if name in shares else {})}
            for name, reward in rows.floor_rewards.items()
        },
    }
