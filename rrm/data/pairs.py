"""Pairs: what names a row whatever its order, and the same pair the other way round."""

from rrm.data.rows import Names
from rrm.row_id import row_id
from rrm.sample import DataSample, Judged

_PREFERRED = {-1: "A", 0: "tie", 1: "B"}
_BY_LETTER = (("response_A", "response_B"),)


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
    """Return the pair in the other order, its metadata with it.

    RM-Gallery's own rewards read the truth from `metadata.preferred`, and its files repeat the answers there.
    """
    other = judged.swapped()
    return Judged(_with_preferred(other.sample, other.label, is_turned=True), other.label, other.strength)


def with_truth(judged: Judged) -> DataSample:
    """Return a pair's sample whose `metadata.preferred` says what the label says; one answer's as it is."""
    if len(judged.sample.output) == 1:
        return judged.sample
    return _with_preferred(judged.sample, judged.label, is_turned=False)


def _with_preferred(sample: DataSample, label: float, *, is_turned: bool) -> DataSample:
    metadata = dict(sample.metadata or {})
    for a, b in _BY_LETTER if is_turned else ():
        if a in metadata and b in metadata:
            metadata[a], metadata[b] = metadata[b], metadata[a]
    preferred = _PREFERRED[(label > 0) - (label < 0)]
    return sample.model_copy(update={"metadata": metadata | {"preferred": preferred}})
