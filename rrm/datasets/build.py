"""Building samples of plain values: validated once as a whole, which is cheaper than model by model."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rrm.row_id import row_id
from rrm.sample import DataSample

Turn = dict[str, Any]
"""A message, as a record of `role` and `content`."""
Output = dict[str, Any]
"""A candidate answer, as a record of `answer` and perhaps `steps`."""

A: Final = "A"
B: Final = "B"
TIE: Final = "tie"
CHOSEN: Final = {"preference": "chosen"}
REJECTED: Final = {"preference": "rejected"}


def user(content: str) -> list[Turn]:
    """Return a conversation of one message of the user."""
    return [{"content": content}]


def answer(content: str, label: Mapping[str, Any], steps: Sequence[Turn] | None = None) -> Output:
    """Return a candidate answer with its truth by attribute."""
    said = {"content": content, "label": label}
    return {"answer": said} if steps is None else {"answer": said, "steps": steps}


def sample(
    unique_id: str,
    conversation: Sequence[Turn],
    output: Sequence[Output],
    *,
    source: str,
    task_category: str,
    metadata: Mapping[str, Any] | None = None,
) -> DataSample:
    """Return the sample; fields without a value are left out of the metadata."""
    kept = None if metadata is None else {key: value for key, value in metadata.items() if value is not None}
    return DataSample.model_validate(
        {
            "unique_id": unique_id,
            "input": conversation,
            "output": output,
            "source": source,
            "task_category": task_category,
            "metadata": kept,
        }
    )


def pair_id(conversation: Sequence[Turn], *answers: str) -> str:
    """Return an id of what was said and in which order the answers stand."""
    said = [part for turn in conversation for part in (turn.get("role", "user"), turn["content"])]
    return row_id(*said, "", *answers)


def pair(contents: tuple[str, str], labels: tuple[Mapping[str, Any], Mapping[str, Any]]) -> list[Output]:
    """Return two candidate answers, the first is A."""
    return [answer(content, label) for content, label in zip(contents, labels, strict=True)]


def lettered(contents: tuple[str, str]) -> list[Output]:
    """Return two candidate answers labelled with their letter; which is better stands in the metadata."""
    return pair(contents, ({"response_type": A}, {"response_type": B}))


def turned(preferred: str) -> str:
    """Return which answer is preferred once the two have changed places.

    >>> turned("A"), turned("tie")
    ('B', 'tie')
    """
    return {A: B, B: A}.get(preferred, preferred)
