"""UltraFeedback: a prompt and four answers, each rated by GPT-4 in four aspects from 1 to 5.

One row of the published set, shortened to one of its four completions:
    {"source": "evol_instruct", "instruction": "...", "models": ["alpaca-7b", ...], "correct_answers": [],
     "incorrect_answers": [], "completions": [{"model": "alpaca-7b", "principle": "helpfulness",
       "custom_system_prompt": "...", "response": "...", "critique": "...", "overall_score": 7.5,
       "fine-grained_score": 4.25, "annotations": {
         "instruction_following": {"Rating": "4", "Rationale": "..."}, "honesty": {"Rating": "5", ...},
         "truthfulness": {"Rating": "N/A", ...}, "helpfulness": {"Rating": "4", ...}}}]}
Ratings are strings, "1" to "5" or "N/A"; an answer that is not rated in an aspect has no label for it.
Pointwise, each answer is its own sample; its labels are the four aspects and, from 1 to 10, `overall_score`.
Only whole numbers are labels: an `overall_score` with a half point is refused, and `fine-grained_score`,
the mean of the four, is no pointwise label at all. Pairwise it is the one to compare by: the best answer
stands against the worst, and a row whose answers are all equal is refused. Use the release of 2023-12-29 or
later: before it 2,628 bad answers had an `overall_score` of 10. Source: openbmb/UltraFeedback, MIT.
"""

from collections.abc import Mapping
from typing import Any, Final

from rrm.datasets.build import Output, answer, pair_id, sample, user
from rrm.datasets.fields import Row, as_text, is_number, items, optional_text, record, require_columns, text
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample
from rrm.scales import Scale

SCALE: Final = Scale(1, 5)
ASPECTS: Final = ("helpfulness", "instruction_following", "honesty", "truthfulness")
OVERALL: Final = "overall_score"
FINE_GRAINED: Final = "fine_grained_score"
SCALES: Final = {OVERALL: Scale(1, 10)}
POINTWISE_LABELS: Final = (*ASPECTS, OVERALL)
PAIRWISE_LABELS: Final = (FINE_GRAINED, *ASPECTS, OVERALL)
RANGES: Final = {name: SCALES.get(name, SCALE).range for name in PAIRWISE_LABELS}
NOT_RATED: Final = "N/A"
_RATINGS: Final = {str(rating): rating for rating in SCALE.values} | {NOT_RATED: None, "None": None}
_PUBLISHED_FINE_GRAINED: Final = "fine-grained_score"


def convert_pointwise(row: Row) -> list[DataSample]:
    """Return a sample for each answer.

    Raises:
        RowRefused: If a column is missing or not of its type, or a rating is none.
    """
    conversation, outputs = _parts(row)
    return [_sample(row, conversation, [output]) for output in outputs]


def convert_pairwise(row: Row) -> list[DataSample]:
    """Return one sample with all answers; the pair is chosen when the label is known.

    Raises:
        RowRefused: If a column is missing or not of its type, or a rating is none.
    """
    conversation, outputs = _parts(row)
    return [_sample(row, conversation, outputs)]


def _parts(row: Row) -> tuple[list[dict[str, Any]], list[Output]]:
    require_columns(row, ("instruction", "completions"))
    conversation = user(text(row, "instruction"))
    return conversation, [_output(each) for each in items(row["completions"], "completions")]


def _sample(row: Row, conversation: list[dict[str, Any]], outputs: list[Output]) -> DataSample:
    return sample(
        pair_id(conversation, *(output["answer"]["content"] for output in outputs)),
        conversation,
        outputs,
        source="ultrafeedback",
        task_category="chat",
        metadata={
            "prompt_source": optional_text(row, "source"),
            "data_group_id": pair_id(conversation),
            "rating_ranges": RANGES,
        },
    )


def _output(completion: Any) -> Output:
    fields = record(completion, "completions", ("response", "annotations"))
    annotations = record(fields["annotations"], "annotations", ())
    label: dict[str, Any] = {}
    for aspect in ASPECTS:
        rating = _rating(annotations.get(aspect), aspect)
        if rating is not None:
            label[aspect] = rating
    label |= _scores(fields)
    if (model := fields.get("model")) is not None:
        label["model"] = as_text(model, "model")
    return answer(as_text(fields["response"], "response"), label)


def _rating(annotation: Any, aspect: str) -> int | None:
    if annotation is None:
        return None
    rating = record(annotation, aspect, ("Rating",))["Rating"]
    if not isinstance(rating, str) or rating not in _RATINGS:
        raise RowRefused(
            "unknown rating", expected=f'{aspect}: a Rating of "1" to "5" or "N/A"', found=shown(rating)
        )
    return _RATINGS[rating]


def _scores(completion: Mapping[str, Any]) -> dict[str, float]:
    """Return the two summary scores that are there; they are floats, and for the mean a fraction is right."""
    published = {OVERALL: completion.get(OVERALL), FINE_GRAINED: completion.get(_PUBLISHED_FINE_GRAINED)}
    scores = {}
    for name, value in published.items():
        scale = SCALES.get(name, SCALE)
        if value is None:
            continue
        if not is_number(value) or value not in scale:
            raise RowRefused(
                "label out of range", expected=f"{name}: {scale.low} to {scale.high}", found=shown(value)
            )
        scores[name] = value
    return scores
