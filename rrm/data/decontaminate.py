"""Benchmarks must not be learned by heart: training rows that overlap with one are found here.

A row overlaps if its normalised prompt is one of the benchmark's, or if what its user says shares thirteen
words in a row with what a user says there. Answers are not compared, as in the decontamination of Skywork's
preferences and Tulu 3's prompts: models end theirs in the same phrases ("I hope this helps! Let me know if
you have any other questions ..."), and an answer betrays nothing while the question it belongs to is unknown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rrm.data.rows import Candidate, RawRow
from rrm.data.thirteen import SIZE, Hashes, hashes_of, words_of
from rrm.data.validate import Count, Tally, require_mostly_valid, samples_of
from rrm.datasets import Converter
from rrm.datasets.refusal import RowRefused
from rrm.row_id import prompt_group
from rrm.sample import DataSample, Speaker

SAME_PROMPT: Final = "prompt of a benchmark"
SAME_WORDS: Final = f"{SIZE} words of a benchmark's prompt"
COMMON: Final = 10
"""Words of more prompts of one benchmark than these are its phrasing and no question ("Choose the best of the
options below ..."). GPT-3's decontamination passes over what so many of its training documents say."""


@dataclass(frozen=True)
class Overlap:
    """A row that a benchmark holds too: the benchmark's index, in which way, and the shared text."""

    benchmark: int
    reason: str
    shared: str


@dataclass
class Benchmark:
    """One benchmark: what was read of it and what overlapped with it."""

    uri: str
    revision: str | None
    count: Count = field(default_factory=Count)
    invalid: Tally = field(default_factory=Tally)
    overlaps: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Benchmarks:
    """All benchmarks of a training, ready to be searched.

    Attributes:
        entries: Their counts, in the spec's order.
        groups: Normalised prompts, with the first benchmark that has them.
        hashes: Hashes of thirteen words, ascending, shape (n,).
        owners: First benchmark that has each, shape (n,).
    """

    entries: Sequence[Benchmark] = ()
    groups: dict[str, int] = field(default_factory=dict)
    hashes: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    owners: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))

    def keep_clean(self, candidates: Iterable[Candidate], tally: Tally) -> Iterator[Candidate]:
        """Yield the candidates that overlap with no benchmark; count the others, with examples."""
        for candidate in candidates:
            overlap = self.find(candidate) if self.entries else None
            if overlap is None:
                yield candidate
                continue
            example = f"row {candidate.names.row}: {overlap.shared}"
            self.entries[overlap.benchmark].overlaps.add(overlap.reason, example)
            tally.add(overlap.reason, f"{self.entries[overlap.benchmark].uri}, {example}")

    def find(self, candidate: Candidate) -> Overlap | None:
        """Return the overlap of a candidate: prompt before words, earlier benchmarks before later ones."""
        sample = candidate.judged.sample
        if (owner := self.groups.get(candidate.group)) is not None:
            return Overlap(owner, SAME_PROMPT, " ".join(words_of(sample.input[0].content)[: 2 * SIZE]))
        found = (self._find_words(text) for text in questions_of(sample))
        return min((one for one in found if one), key=lambda one: one.benchmark, default=None)

    def _find_words(self, text: str) -> Overlap | None:
        words = words_of(text)
        hashes = hashes_of(words)
        if not len(hashes) or not len(self.hashes):
            return None
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        hits = np.flatnonzero(self.hashes[places] == hashes)
        if not len(hits):
            return None
        first = int(hits[np.argmin(self.owners[places[hits]])])
        return Overlap(int(self.owners[places[first]]), SAME_WORDS, " ".join(words[first : first + SIZE]))


@dataclass
class BenchmarkReader:
    """Collects benchmarks; `done` makes them searchable."""

    entries: list[Benchmark] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    hashes: list[Hashes] = field(default_factory=list)

    def read(
        self,
        benchmark: Benchmark,
        rows: Iterable[RawRow],
        converter: Converter,
        *,
        max_invalid_fraction: float,
    ) -> None:
        """Read all rows of a benchmark; whether they are rated makes no difference.

        Raises:
            DataInvalid: If more rows are invalid than allowed.
        """
        number = len(self.entries)
        self.entries.append(benchmark)
        asked: dict[str, Hashes] = {}
        for row in rows:
            try:
                samples = samples_of(row, converter)
            except RowRefused as refusal:
                benchmark.count.refuse(refusal, row.place, benchmark.invalid)
                continue
            benchmark.count.read += 1
            for sample in samples:
                group = prompt_group(*(said.content for said in sample.input))
                self.groups.setdefault(group, number)
                if group not in asked:
                    asked[group] = np.unique(
                        _joined(hashes_of(words_of(text)) for text in questions_of(sample))
                    )
        require_mostly_valid(benchmark.count, max_invalid_fraction)
        hashes, prompts = np.unique(_joined(asked.values()), return_counts=True)
        self.hashes.append(hashes[prompts <= COMMON])

    def done(self) -> Benchmarks:
        """Return the benchmarks that were read."""
        if not self.entries:
            return Benchmarks()
        owners = [np.full(len(hashes), i, dtype=np.uint8) for i, hashes in enumerate(self.hashes)]
        hashes, first = np.unique(np.concatenate(self.hashes), return_index=True)
        return Benchmarks(self.entries, self.groups, hashes, np.concatenate(owners)[first])


def questions_of(sample: DataSample) -> list[str]:
    """Return what the user says in the conversation of a sample."""
    return [message.content for message in sample.input if message.role is Speaker.USER]


def _joined(hashes: Iterable[Hashes]) -> Hashes:
    return np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
