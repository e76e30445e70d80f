"""HelpSteer2, pointwise: a prompt, one answer, five attributes rated 0 to 4 by people.

Two shapes, told apart by their exact keys. One row of the published `train.jsonl.gz`:
    {"prompt": "c#", "response": "C# is ...", "helpfulness": 3, "correctness": 3, "coherence": 4,
     "complexity": 2, "verbosity": 2}
One row of the nested files that circulate as samples, two answers and labels divided by four:
    {"prompt": "...", "responses": ["...", "..."], "labels": [{"helpfulness": 0.75, ...}, {...}],
     "reasonings": ["...", "..."]}
`reasonings` was written by a model, not by people, and is ignored. Source: nvidia/HelpSteer2, CC-BY-4.0.
"""

import math
from typing import Any, Final

from rrm.datasets.build import answer, sample, user
from rrm.datasets.fields import (
    BETWEEN,
    MISSING_COLUMN,
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    WRONG_TYPE,
    Row,
    as_text,
    require_columns,
    whole,
)
from rrm.datasets.refusal import RowRefused, shown
from rrm.row_id import row_id
from rrm.sample import DataSample
from rrm.scales import Scale

SCALE: Final = Scale(0, 4)
ATTRIBUTES: Final = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
HUB_KEYS: Final = frozenset({"prompt", "response", *ATTRIBUTES})
NESTED_KEYS: Final = frozenset({"prompt", "responses", "labels"})
_ROUNDING: Final = 1e-6
_RESPONSES: Final = 2


def convert(row: Row) -> list[DataSample]:
    """Return one sample for a hub-shaped row, two for a nested one.

    Raises:
        RowRefused: If keys, types or labels are not of either shape.
    """
    require_columns(row, ())
    keys = row.keys()
    if keys == HUB_KEYS:
        return [
            _sample(row["prompt"], row["response"], {name: _label(name, row[name]) for name in ATTRIBUTES})
        ]
    if keys - {"reasonings"} == NESTED_KEYS:
        return _nested(row)
    closest = HUB_KEYS if "response" in keys or "responses" not in keys else NESTED_KEYS
    missing, extra = sorted(closest - keys), sorted(map(str, keys - closest))
    raise RowRefused(
        MISSING_COLUMN if missing else "unknown column",
        expected=f"the columns {', '.join(sorted(closest))}",
        found=f"{'no ' + ', '.join(missing) if missing else 'also ' + ', '.join(extra)}",
    )


def _nested(row: Row) -> list[DataSample]:
    for name in ("responses", "labels"):
        if not isinstance(row[name], list) or len(row[name]) != _RESPONSES:
            raise RowRefused(WRONG_TYPE, expected=f"{name}: a list of two", found=shown(row[name]))
    samples = []
    for response, labels in zip(row["responses"], row["labels"], strict=True):
        if not isinstance(labels, dict) or set(labels) != set(ATTRIBUTES):
            raise RowRefused(MISSING_COLUMN, expected=f"labels: {', '.join(ATTRIBUTES)}", found=shown(labels))
        whole_labels = {name: _quarters(name, labels[name]) for name in ATTRIBUTES}
        samples.append(_sample(row["prompt"], response, whole_labels))
    return samples


def _sample(prompt: Any, response: Any, labels: dict[str, int]) -> DataSample:
    asked, said = as_text(prompt, "prompt"), as_text(response, "response")
    return sample(
        row_id(asked, said), user(asked), [answer(said, labels)], source="helpsteer2", task_category="chat"
    )


def _label(name: str, value: Any) -> int:
    # Nearly every label is one of these five; what is not is looked at closely, for the message.
    if type(value) is int and 0 <= value <= SCALE.high:
        return value
    return whole(value, name, SCALE)


def _quarters(name: str, value: Any) -> int:
    expected = f"{name}: a quarter from 0 to 1"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Integers are asked nothing: some are too large for a float.
    if not is_number or (isinstance(value, float) and not math.isfinite(value)):
        raise RowRefused(NOT_A_NUMBER, expected=expected, found=shown(value))
    points: float = value * SCALE.range
    if not SCALE.low - _ROUNDING <= points <= SCALE.high + _ROUNDING:
        raise RowRefused(OUT_OF_RANGE, expected=expected, found=shown(value))
    if abs(points - round(points)) > _ROUNDING:
        raise RowRefused(BETWEEN, expected=expected, found=shown(value))
    return round(points)
