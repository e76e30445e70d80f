"""The parts of a training's data as they are read: their sources, what is kept, what is dropped and why.

Test before validation before training, as each later part gives up the prompts that an earlier one holds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from rrm.data.decontaminate import Benchmark, BenchmarkReader, Benchmarks
from rrm.data.load import Loaded, load
from rrm.data.render import TOO_LONG, Renderer
from rrm.data.rows import Candidate, Kept
from rrm.data.split import draw_rows
from rrm.data.split_column import of_split
from rrm.data.validate import Count, Reading, Seen, Tally, validate
from rrm.datasets import converter_of, label_of, scale_of
from rrm.errors import DataInvalid, InvalidSpec
from rrm.scales import Scale
from rrm.templates import Template
from rrm.templates.choose import template_for
from rrm_api.run import Intent
from rrm_api.spec_data import Data, Source
from rrm_api.spec_train import Method

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
OVER_LIMIT: Final = "over the limit"
ALSO_IN_VALIDATION: Final = "prompt also in validation"
ALSO_IN_TEST: Final = "prompt also in test"
_TOLD_EVERY: Final = 20_000
Item = TypeVar("Item")


@dataclass(frozen=True)
class Progress:
    """What preparing is doing, for people: a verb phrase and how many rows it is about."""

    doing: str
    rows: int


@dataclass
class Part:
    """One part as it comes together.

    Attributes:
        name: `train`, `validation` or `test`.
        place: Its sources' place in the spec.
        sources: Its sources, in the spec's order; none where it is a share of the training prompts.
        loaded: Where their rows are.
        read: Rows read, by source.
        kept: Rows that fit, by source.
        groups: Prompt groups of all its valid rows, the dropped ones too.
        tally: What was not used.
    """

    name: str
    place: str
    sources: Sequence[Source]
    loaded: list[Loaded] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    kept: list[list[Kept]] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    @property
    def revisions(self) -> list[str | None]:
        """Hub commits, by source; None for files of a claim."""
        return [loaded.revision for loaded in self.loaded]


@dataclass(frozen=True)
class Parts:
    """All that a training reads; `benchmarks` are no part of it but kept out of it."""

    train: Part
    validation: Part
    test: Part
    benchmarks: Part

    @property
    def rated(self) -> tuple[Part, Part, Part]:
        """The parts that become rows."""
        return self.train, self.validation, self.test


def locate(data: Data, *, claims: Path) -> Parts:
    """Return where the rows of all sources are, before a single one is read.

    Raises:
        DataInvalid: If a source is missing.
        VolumeUnavailable: If a claim is not here.
        HubUnreachable: If the hub does not answer.
    """
    test = data.test.sources if data.test is not None else None
    parts = Parts(
        Part(TRAIN, "spec.data.train", data.train),
        Part(VALIDATION, "spec.data.validation.sources", data.validation.sources or []),
        Part(TEST, "spec.data.test.sources", test or []),
        Part("benchmarks", "spec.data.decontaminate", data.decontaminate),
    )
    for part, split in zip((*parts.rated, parts.benchmarks), (TRAIN, VALIDATION, TEST, TEST), strict=True):
        for index, source in enumerate(part.sources):
            name = f"{part.place}[{index}]"
            part.loaded.append(load(source, name=name, claims=claims, default_split=split))
    return parts


def shared_scale(parts: Parts, method: Method) -> Scale:
    """Return the one scale of all sources.

    Raises:
        InvalidSpec: If two sources are rated on different scales, or one on none.
    """
    found = {
        f"{part.place}[{index}]": scale_of(source, method)
        for part in parts.rated
        for index, source in enumerate(part.sources)
    }
    if len(set(found.values())) > 1:
        named = ", ".join(f"{place} {scale.low} to {scale.high}" for place, scale in found.items())
        raise InvalidSpec(
            f"spec.data: expected one scale for all sources of a training, found {named}; leave out the "
            "sources that are rated otherwise, or rate them on the same scale"
        )
    return next(iter(found.values()))


@dataclass(frozen=True)
class PartReader:
    """Reads parts row by row; only names, labels and lengths stay in memory.

    Attributes:
        intent: What is wanted.
        scale: Range of all labels.
        renderer: Asks, measures and puts aside.
        on_progress: Told after each source, and in between.
    """

    intent: Intent
    scale: Scale
    renderer: Renderer
    on_progress: Callable[[Progress], None]

    def read_all(self, parts: Parts) -> Benchmarks:
        """Read every part; return the benchmarks with what overlapped.

        Raises:
            DataInvalid: If a file is broken, or too many rows of a source are invalid.
        """
        benchmarks = self._read_benchmarks(parts.benchmarks)
        nothing = Benchmarks()
        held: dict[str, set[str]] = {}
        for part, reason in ((parts.test, ALSO_IN_TEST), (parts.validation, ALSO_IN_VALIDATION)):
            self._read(part, held=dict(held), benchmarks=nothing)
            held[reason] = part.groups
        self._read(parts.train, held=held, benchmarks=benchmarks)
        return benchmarks

    def _read_benchmarks(self, part: Part) -> Benchmarks:
        reader = BenchmarkReader()
        for source, loaded in zip(part.sources, part.loaded, strict=True):
            benchmark = Benchmark(source.uri, loaded.revision)
            allowed = float(self.intent.data.max_invalid_fraction)
            reader.read(benchmark, loaded.rows, converter_of(source), max_invalid_fraction=allowed)
            self.on_progress(Progress(f"read benchmark {source.uri}", benchmark.count.read))
        return reader.done()

    def _read(self, part: Part, *, held: Mapping[str, set[str]], benchmarks: Benchmarks) -> None:
        seen = Seen()
        for index, source in enumerate(part.sources):
            count = Count()
            loaded = part.loaded[index]
            split = source.split or (loaded.revision and part.name)  # a claim's files have no default
            rows = of_split(loaded.rows, split, place=loaded.place, tally=part.tally, count=count)
            reading = self._reading(part, index)
            candidates = validate(rows, reading, tally=part.tally, seen=seen, count=count)
            apart = _apart(candidates, part, held)
            clean = benchmarks.keep_clean(apart, part.tally)
            kept = self.renderer.render(clean, partial(self._template, source), part.tally)
            part.kept.append(list(self._told(kept, source.uri)))
            part.read.append(count.read)
            self.on_progress(Progress(f"read {source.uri}", count.read))

    def _reading(self, part: Part, index: int) -> Reading:
        source, pairwise = part.sources[index], self.intent.reward.pairwise
        return Reading(
            source=index,
            method=self.intent.method,
            label=label_of(source),
            scale=self.scale,
            converter=converter_of(source),
            max_invalid_fraction=float(self.intent.data.max_invalid_fraction),
            tells_labels_apart=len({label_of(other) for other in part.sources}) > 1,
            folds_orders=pairwise is not None and float(pairwise.swap_consistency_weight) > 0,
        )

    def _template(self, source: Source) -> Template:
        return template_for(
            self.intent,
            label=label_of(source),
            scale=self.scale,
            reasoning=self.renderer.reasoning,
            special_tokens=self.renderer.tokenizer().special_tokens,
        )

    def _told(self, items: Iterable[Item], uri: str) -> Iterator[Item]:
        for number, item in enumerate(items, start=1):
            yield item
            if number % _TOLD_EVERY == 0:
                self.on_progress(Progress(f"reading and measuring {uri}", number))


def limited(part: Part, *, seed: int) -> list[Kept]:
    """Return the rows of a part, at most as many per source as its limit allows; what is over is counted.

    Raises:
        DataInvalid: If there are none.
    """
    rows: list[Kept] = []
    for source, kept in zip(part.sources, part.kept, strict=True):
        chosen = draw_rows(kept, limit=source.limit, seed=seed)
        part.tally.add(OVER_LIMIT, rows=len(kept) - len(chosen))
        rows += chosen
    if not rows:
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(part.tally.counts.items()))
        raise DataInvalid(
            expected=f"at least one {part.name} row",
            found=f"none of {sum(part.read)} left ({lost})",
            where=f"spec.data {part.name}",
            do="raise spec.data.maxPromptTokens or use other rows" if TOO_LONG in part.tally.counts else "",
        )
    return rows


def _apart(candidates: Iterable[Candidate], part: Part, held: Mapping[str, set[str]]) -> Iterator[Candidate]:
    """Yield the candidates whose prompts no earlier part holds; count the others."""
    for candidate in candidates:
        reason = next((why for why, groups in held.items() if candidate.group in groups), None)
        if reason is None:
            part.groups.add(candidate.group)
            yield candidate
        else:
            part.tally.add(reason, f"row {candidate.names.row}")
