"""Training and validation rows: read, rendered, measured, and kept apart by prompt."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rrm.data.load import load
from rrm.data.rows import Candidate, PreparedRow
from rrm.data.split import draw_rows, validation_groups
from rrm.data.tokens import ModelTokenizer
from rrm.data.validate import Reading, Tally, validate
from rrm.datasets import converter_of, label_of
from rrm.errors import DataInvalid, InvalidSpec
from rrm.reasoning import ReasoningRule
from rrm.templates.pointwise import PointwiseTemplate
from rrm_api.run import Intent
from rrm_api.spec_data import Data, Source

TOO_LONG = "prompt too long"
OVER_LIMIT = "over the limit"
ALSO_IN_VALIDATION = "prompt also in validation"


@dataclass(frozen=True)
class Progress:
    """What preparing is doing, for people: a verb phrase and how many rows it is about."""

    doing: str
    rows: int


@dataclass
class Part:
    """Rows of one part as they come together.

    Attributes:
        name: `train` or `validation`.
        sources: Its sources, in the spec's order.
        candidates: Valid rows.
        read: Rows read, by source.
        revisions: Hub commits, by source.
        tally: What was not used.
    """

    name: str
    sources: Sequence[Source]
    candidates: list[Candidate] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    revisions: list[str | None] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Renderer:
    """How candidates become rows.

    Attributes:
        intent: What is wanted.
        tokenizer: The model's.
        reasoning: The model's reasoning rule.
        max_prompt_tokens: Longer prompts are dropped.
    """

    intent: Intent
    tokenizer: ModelTokenizer
    reasoning: ReasoningRule
    max_prompt_tokens: int

    def render(self, part: Part) -> list[PreparedRow]:
        """Return the rows of a part that fit, at most as many per source as its limit allows."""
        prompts = [self._template(part, row).format(row.sample) for row in part.candidates]
        lengths = self.tokenizer.lengths(prompts, self.reasoning)
        fitting: dict[int, list[PreparedRow]] = {index: [] for index in range(len(part.sources))}
        for candidate, messages, tokens in zip(part.candidates, prompts, lengths, strict=True):
            if tokens > self.max_prompt_tokens:
                part.tally.add(TOO_LONG, f"row {candidate.row_id} has {tokens} tokens")
            else:
                fitting[candidate.source].append(PreparedRow(candidate, messages, tokens))
        return list(self._limited(part, fitting))

    def _limited(self, part: Part, fitting: dict[int, list[PreparedRow]]) -> Iterator[PreparedRow]:
        for index, source in enumerate(part.sources):
            chosen = draw_rows(fitting[index], limit=source.limit, seed=self.intent.data.seed)
            part.tally.add(OVER_LIMIT, rows=len(fitting[index]) - len(chosen))
            yield from chosen

    def _template(self, part: Part, row: Candidate) -> PointwiseTemplate:
        return PointwiseTemplate(
            label=label_of(part.sources[row.source]),
            scale=row.scale,
            reasoning=self.reasoning,
            task=self.intent.template.task,
            rubrics=tuple(self.intent.template.rubrics),
            special_tokens=self.tokenizer.special_tokens,
        )


def read_parts(data: Data, *, claims: Path, on_progress: Callable[[Progress], None]) -> tuple[Part, Part]:
    """Return training and validation as read; validation is empty where it is a share of training.

    Raises:
        DataInvalid: If a source is missing or broken, or too many of its rows are.
        VolumeUnavailable: If a claim is not here.
        HubUnreachable: If the hub does not answer.
    """
    train = Part("train", data.train)
    validation = Part("validation", data.validation.sources or [])
    for part in (validation, train):
        place = "spec.data.train" if part is train else "spec.data.validation.sources"
        seen: set[str] = set()
        for index, source in enumerate(part.sources):
            _read_source(part, index, place=f"{place}[{index}]", data=data, claims=claims, seen=seen)
            on_progress(Progress(f"read {source.uri}", part.read[index]))
    drop_shared_prompts(train, validation)
    return train, validation


def drop_shared_prompts(train: Part, validation: Part) -> None:
    """Drop from training what shares a prompt with validation, and count it."""
    groups = {candidate.group for candidate in validation.candidates}
    kept = [candidate for candidate in train.candidates if candidate.group not in groups]
    train.tally.add(ALSO_IN_VALIDATION, rows=len(train.candidates) - len(kept))
    train.candidates = kept


def split_off(rows: list[PreparedRow], data: Data) -> tuple[list[PreparedRow], list[PreparedRow]]:
    """Return training and validation rows, split by prompt group.

    Raises:
        InvalidSpec: If the share leaves one of the two empty.
    """
    fraction = float(data.validation.fraction or 0)
    groups = Counter(row.candidate.group for row in rows)
    if not 0 < fraction < 1 or len(groups) == 1:
        raise InvalidSpec(
            f"spec.data.validation.fraction is {fraction:g} of {len(groups)} prompts; a share "
            "between 0 and 1 that leaves prompts on both sides is required"
        )
    held = validation_groups(groups, fraction=fraction, seed=data.seed)
    train = [row for row in rows if row.candidate.group not in held]
    return train, [row for row in rows if row.candidate.group in held]


def require_rows(part: Part, rows: Sequence[PreparedRow]) -> None:
    """Refuse an empty part, saying what became of its rows.

    Raises:
        DataInvalid: If there are no rows.
    """
    if not rows:
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(part.tally.counts.items()))
        raise DataInvalid(
            expected=f"at least one {part.name} row",
            found=f"none of {sum(part.read)} left ({lost})",
            where=f"spec.data {part.name}",
            do="raise spec.data.maxPromptTokens or use other rows" if TOO_LONG in part.tally.counts else "",
        )


def _read_source(part: Part, index: int, *, place: str, data: Data, claims: Path, seen: set[str]) -> None:
    source = part.sources[index]
    loaded = load(source, name=place, claims=claims, default_split=part.name)
    reading = Reading(
        source=index,
        label=label_of(source),
        converter=converter_of(source),
        max_invalid_fraction=float(data.max_invalid_fraction),
        tells_labels_apart=len({label_of(other) for other in part.sources}) > 1,
    )
    valid = validate(loaded.rows, reading, tally=part.tally, seen=seen)
    part.candidates.extend(valid.candidates)
    part.read.append(valid.read)
    part.revisions.append(loaded.revision)
