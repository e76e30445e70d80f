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
from collections.abc import Mapping
from typing import Any, Final

from rrm.datasets.refusal import RowRefused, shown
from rrm.row_id import row_id
from rrm.sample import ChatMessage, DataOutput, DataSample, Step
from rrm.scales import Scale

SCALE: Final = Scale(0, 4)
ATTRIBUTES: Final = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
HUB_KEYS: Final = frozenset({"prompt", "response", *ATTRIBUTES})
NESTED_KEYS: Final = frozenset({"prompt", "responses", "labels"})
_ROUNDING: Final = 1e-6
_RESPONSES: Final = 2


def convert(row: Mapping[str, Any]) -> list[DataSample]:
    """Return one sample for a hub-shaped row, two for a nested one.

    Raises:
        RowRefused: If keys, types or labels are not of either shape.
    """
    keys = frozenset(row)
    if keys == HUB_KEYS:
        return [_sample(row["prompt"], row["response"], {name: row[name] for name in ATTRIBUTES}, unit=1)]
    if keys - {"reasonings"} == NESTED_KEYS:
        return _nested(row)
    closest = HUB_KEYS if "response" in keys or "responses" not in keys else NESTED_KEYS
    missing, extra = sorted(closest - keys), sorted(keys - closest)
    raise RowRefused(
        "missing column" if missing else "unknown column",
        expected=f"the columns {', '.join(sorted(closest))}",
        found=f"{'no ' + ', '.join(missing) if missing else 'also ' + ', '.join(extra)}",
    )


def _nested(row: Mapping[str, Any]) -> list[DataSample]:
    for name in ("responses", "labels"):
        if not isinstance(row[name], list) or len(row[name]) != _RESPONSES:
            raise RowRefused("wrong type", expected=f"{name}: a list of two", found=shown(row[name]))
    samples = []
    for response, labels in zip(row["responses"], row["labels"], strict=True):
        if not isinstance(labels, dict) or set(labels) != set(ATTRIBUTES):
            raise RowRefused(
                "missing column", expected=f"labels: {', '.join(ATTRIBUTES)}", found=shown(labels)
            )
        samples.append(_sample(row["prompt"], response, labels, unit=SCALE.range))
    return samples


def _sample(prompt: Any, response: Any, labels: Mapping[str, Any], *, unit: int) -> DataSample:
    """Return the sample; `unit` is how many points of the scale a raw label of 1 means."""
    _require_text("prompt", prompt)
    _require_text("response", response)
    return DataSample(
        unique_id=row_id(prompt, response),
        input=(ChatMessage(content=prompt),),
        output=(DataOutput(answer=Step(content=response, label=_labels(labels, unit))),),
        source="helpsteer2",
        task_category="chat",
    )


def _require_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise RowRefused(f"{name} is not text", expected=f"{name}: a string", found=shown(value))
    if not value.strip():
        raise RowRefused(f"empty {name}", expected=f"{name}: some text", found=shown(value))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RowRefused(
            f"{name} is not Unicode", expected=f"{name}: valid Unicode", found="half a surrogate pair"
        ) from None


def _labels(raw: Mapping[str, Any], unit: int) -> dict[str, int]:
    return {name: _label(name, raw[name], unit) for name in ATTRIBUTES}


def _label(name: str, value: Any, unit: int) -> int:
    upper = SCALE.high / unit
    expected = (
        f"{name}: a whole number from 0 to 4" if unit == 1 else f"{name}: a quarter from 0 to {upper:g}"
    )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Integers are asked nothing: some are too large for a float.
    if not is_number or (isinstance(value, float) and not math.isfinite(value)):
        raise RowRefused("label is not a number", expected=expected, found=shown(value))
    points: float = value * unit
    if abs(points - round(points)) > _ROUNDING:
        raise RowRefused("label between two scores", expected=expected, found=shown(value))
    if round(points) not in SCALE:
        raise RowRefused("label out of range", expected=expected, found=shown(value))
    return round(points)
