"""From a sample to what prompts ask about: one answer with its score, or a pair with the better one.

Where the truth about a pair stands differs from source to source; looked for in this order, first found
counts: `metadata.preferred`; `label.preference` as chosen and rejected, or as A, B or tie on both answers;
`label.is_preferred`; and last the ratings, compared. Pairs stand in the source's order: whether that gives
the truth away, and what to do about it, is decided where all pairs are known.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from rrm.datasets.build import TIE, A, B
from rrm.datasets.fields import choice, is_number, whole
from rrm.datasets.refusal import RowRefused, shown
from rrm.row_id import row_id
from rrm.sample import DataOutput, DataSample, Judged
from rrm.scales import Scale
from rrm_api.spec_train import Method

MISSING: Final = "label is missing"
NO_PAIR: Final = "not a pair"
TRUTHS: Final = ((A, -1.0), (B, 1.0), (TIE, 0.0))
_STRENGTHS: Final = (("preference_strength", 3.0), ("overall_preference", 3.0), ("agreement", 1.0))
"""Metadata that says how clear a preference is, and what stands for perfectly clear."""
_PAIR: Final = 2


def judge(sample: DataSample, *, method: Method, label: str, scale: Scale) -> list[Judged]:
    """Return what prompts about a sample ask, each with its truth.

    Args:
        sample: A converted row.
        method: Pointwise = one for each rated answer; Pairwise = the pair, or each chosen answer against each
            rejected one, or of more than two rated answers the best against the worst.
        label: Attribute that is the truth, or by which answers are compared where nobody compared them.
        scale: Range of the truth.

    Raises:
        RowRefused: If the truth is missing, off the scale, or contradicts itself.
    """
    match method:
        case Method.POINTWISE:
            return _scores(sample, label, scale)
        case Method.PAIRWISE:
            return list(_pairs(sample, label))


def _scores(sample: DataSample, label: str, scale: Scale) -> list[Judged]:
    rated = [output for output in sample.output if _labels(output).get(label) is not None]
    if not rated:
        raise _missing(sample, label)
    return [
        Judged(_with(sample, (output,)), float(whole(_labels(output)[label], label, scale)))
        for output in rated
    ]


def _pairs(sample: DataSample, label: str) -> Iterator[Judged]:
    if len(sample.output) < _PAIR:
        raise RowRefused(
            NO_PAIR,
            expected="two answers or more to compare",
            found=f"{len(sample.output)} in a sample of {sample.source or 'no named source'}",
        )
    truth = _stated(sample)
    if truth is not None:
        yield Judged(sample, truth, _strength(sample))
        return
    sides = _sides(sample)
    if sides is None:
        yield _compared(sample, label)
        return
    chosen, rejected = sides
    for winner, loser in product(chosen, rejected):
        first, second = sorted((winner, loser))
        pair = (sample.output[first], sample.output[second])
        yield Judged(_with(sample, pair), -1.0 if first == winner else 1.0, _strength(sample))


def _stated(sample: DataSample) -> float | None:
    """Return the truth where the source states it for the pair as a whole."""
    if len(sample.output) != _PAIR:
        return None
    stated = (sample.metadata or {}).get("preferred")
    if stated is not None:
        return _truth(stated, "preferred")
    verdicts = [_labels(output).get("preference") for output in sample.output]
    if None not in verdicts and verdicts[0] == verdicts[1]:
        return _truth(verdicts[0], "preference")
    flags = [_labels(output).get("is_preferred") for output in sample.output]
    match flags:
        case [True, False]:
            return -1.0
        case [False, True]:
            return 1.0
        case [False, False]:
            return 0.0
    return None


def _truth(value: Any, name: str) -> float:
    # Tie is written in all ways.
    return choice(TIE if isinstance(value, str) and value.lower() == TIE else value, name, TRUTHS)


def _sides(sample: DataSample) -> tuple[list[int], list[int]] | None:
    """Return the places of chosen and rejected answers; None if no answer is marked so."""
    marks = [_labels(output).get("preference") for output in sample.output]
    if all(mark is None for mark in marks):
        return None
    sides: dict[str, list[int]] = {"chosen": [], "rejected": []}
    for place, mark in enumerate(marks):
        choice(mark, "preference", sides.items()).append(place)
    if not all(sides.values()):
        raise RowRefused(MISSING, expected="a chosen and a rejected answer", found=f"only {marks[0]} answers")
    return sides["chosen"], sides["rejected"]


def _compared(sample: DataSample, label: str) -> Judged:
    """Return two answers by their ratings: the only two, or the best and the worst of more."""
    values = [_labels(output).get(label) for output in sample.output]
    ratings: dict[int, float] = {place: value for place, value in enumerate(values) if is_number(value)}
    if len(ratings) < _PAIR:
        raise _missing(sample, label)
    best, worst = max(ratings, key=lambda n: ratings[n]), min(ratings, key=lambda n: ratings[n])
    gap = ratings[best] - ratings[worst]
    if not gap:
        if len(sample.output) > _PAIR:
            raise RowRefused(
                "all answers rated equal",
                expected=f"answers that differ in {label}",
                found=f"{ratings[best]}",
            )
        return Judged(sample, 0.0, _rating_strength(sample, label, gap))
    first, second = sorted((best, worst))
    pair = (sample.output[first], sample.output[second])
    strength = _rating_strength(sample, label, gap)
    return Judged(_with(sample, pair), -1.0 if first == best else 1.0, strength)


def _strength(sample: DataSample) -> float:
    """Return how clear the preference is: 1 where nobody says."""
    metadata = sample.metadata or {}
    for name, clear in _STRENGTHS:
        value = metadata.get(name)
        if value is None:
            continue
        if not is_number(value) or abs(value) > clear:
            raise RowRefused(
                "strength out of range", expected=f"{name}: at most {clear:g}", found=shown(value)
            )
        return float(abs(value)) / clear
    return 1.0


def _rating_strength(sample: DataSample, label: str, gap: float) -> float:
    ranges = (sample.metadata or {}).get("rating_ranges")
    if not isinstance(ranges, Mapping) or not is_number(ranges.get(label)) or ranges[label] <= 0:
        return 1.0
    return min(1.0, gap / float(ranges[label]))


def _labels(output: DataOutput) -> Mapping[str, Any]:
    return output.answer.label or {}


def _with(sample: DataSample, output: tuple[DataOutput, ...]) -> DataSample:
    """Return the sample with these answers alone, under an id of its own if there were others."""
    if len(output) == len(sample.output):
        return sample
    said = (each.answer.content for each in output)
    return sample.model_copy(update={"unique_id": row_id(sample.unique_id, *said), "output": output})


def _missing(sample: DataSample, label: str) -> RowRefused:
    known = sorted({name for output in sample.output for name in _labels(output)})
    found = f"answers with {', '.join(known) or 'no label'}" if sample.output else "no answer"
    return RowRefused(MISSING, expected=f"answers rated in {label}", found=found)
