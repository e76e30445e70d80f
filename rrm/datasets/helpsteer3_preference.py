"""HelpSteer3-Preference: a conversation, two answers, and which one people prefer and how clearly.

One row of the published `preference/train.jsonl.gz`, shortened:
    {"domain": "code", "language": "python", "context": [{"role": "user", "content": "..."}],
     "response1": "...", "response2": "...", "overall_preference": -2,
     "individual_preference": [{"score": -2, "reasoning": "...", "feedback1": "...", "feedback2": "..."}]}
Preference -3 = response 1 is much better ... 0 = about the same ... 3 = response 2 is much better. RM-Gallery
writes the same `preference_score` on both answers, so the worse one looks as good as the better one; here
each answer carries it from its own side: positive = this one is better. Source: nvidia/HelpSteer3, CC-BY-4.0.
"""

from typing import Any, Final

from rrm.datasets.build import A, B, pair, pair_id, sample
from rrm.datasets.fields import Row, conversation, optional_text, require_columns, text
from rrm.datasets.helpsteer2_pairwise import preferred_by, strength_of
from rrm.sample import DataSample

COLUMNS: Final = ("context", "response1", "response2", "overall_preference")


def convert(row: Row) -> list[DataSample]:
    """Return the pair in the row's order.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, COLUMNS)
    context = conversation(row["context"], "context")
    answers = text(row, "response1"), text(row, "response2")
    strength = strength_of(row["overall_preference"], "overall_preference")
    preferred = preferred_by(strength)
    return [
        sample(
            pair_id(context, *answers),
            context,
            pair(answers, (_label(A, -strength, preferred), _label(B, strength, preferred))),
            source="helpsteer3_preference",
            task_category="chat_preference",
            metadata={
                "preferred": preferred,
                "overall_preference": strength,
                "sample_type": "original_order",
                "domain": optional_text(row, "domain"),
                "language": optional_text(row, "language"),
            },
        )
    ]


def _label(letter: str, score: int, preferred: str) -> dict[str, Any]:
    return {
        "response_type": letter,
        "is_preferred": letter == preferred,
        "preference_score": score,
        "original_response": "response1" if letter == A else "response2",
    }
