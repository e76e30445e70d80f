"""Pairs: what names a row whatever its order, and the same pair the other way round."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rrm.data.rows import Names
from rrm.row_id import row_id
from rrm.sample import DataOutput, DataSample, Judged

_PREFERRED: Final = {-1: "A", 0: "tie", 1: "B"}
_TEXTS: Final = ("response_A", "response_B")
_LETTERS: Final = ("response_type", "preference")
"""Labels of an answer that name a place: its own, or that of the better answer (OpenJudge)."""
_TURNED: Final = {"A": "B", "B": "A", "A>B": "B>A", "B>A": "A>B"}


def names_of(judged: Judged, *, label: str | None = None) -> Names:
    """Return the names of a row.

    Args:
        judged: A sample of one answer or two.
        label: Name of the label, where the same texts under another label are another row.
    """
    prompt = [message.content for message in judged.sample.input]
    answers = [output.answer.content for output in judged.sample.output]
    apart = [] if label is None else [label]
    if len(answers) == 1:
        name = row_id(*prompt, *answers)
        return Names(row_id(name, *apart) if apart else name)
    pair = row_id(*prompt, *sorted(answers), *apart)
    orders = [row_id(pair, "rising"), row_id(pair, "falling")]
    row, turned = orders if answers[0] <= answers[1] else orders[::-1]
    return Names(row, pair, turned)


def turned(judged: Judged) -> Judged:
    """Return the pair in the other order, with all that names a place in it.

    Rewards and datasets of the user read the truth from the sample: RM-Gallery's from `metadata.preferred`
    (its files repeat the answers there), OpenJudge's from `label.preference`; JudgeBench has it in
    `metadata.label`.
    """
    other = judged.swapped()
    output = tuple(_relettered(each) for each in other.sample.output)
    sample = other.sample.model_copy(update={"output": output, "metadata": _turned(other.sample.metadata)})
    return Judged(_with_preferred(sample, other.label), other.label, other.strength)


def with_truth(judged: Judged) -> DataSample:
    """Return a pair's sample whose `metadata.preferred` says what the label says; one answer's as it is."""
    if len(judged.sample.output) == 1:
        return judged.sample
    return _with_preferred(judged.sample, judged.label)


def _with_preferred(sample: DataSample, label: float) -> DataSample:
    preferred = _PREFERRED[(label > 0) - (label < 0)]
    return sample.model_copy(update={"metadata": {**(sample.metadata or {}), "preferred": preferred}})


def _turned(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    turned = dict(metadata or {})
    first, second = _TEXTS
    if first in turned and second in turned:
        turned[first], turned[second] = turned[second], turned[first]
    return turned | _other_letters(turned, ("label",))


def _relettered(output: DataOutput) -> DataOutput:
    label = output.answer.label or {}
    letters = _other_letters(label, _LETTERS)
    if not letters:
        return output
    return output.model_copy(update={"answer": output.answer.model_copy(update={"label": label | letters})})


def _other_letters(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Return the fields among those named that say a place, as the other order has them."""
    said = {name: fields.get(name) for name in names}
    return {
        name: _TURNED[value] for name, value in said.items() if isinstance(value, str) and value in _TURNED
    }
