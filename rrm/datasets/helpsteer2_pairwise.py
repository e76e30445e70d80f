"""HelpSteer2-Preference: a prompt, two answers, and which one people prefer and how clearly.

One row of the published `preference/preference.jsonl.gz`, shortened:
    {"split": "train", "prompt": "...", "response_1": "...", "response_2": "...", "preference_strength": 2,
     "preference_statement": "Response 2 is better than Response 1.", "preference_elaboration": "...",
     "three_most_similar_preferences": [...], "all_preferences_unprocessed": [...]}
Strength -3 = response 1 is much better ... 0 = as good as each other ... 3 = response 2 is much better.
A strength of -100 means that neither is acceptable: there is no truth about the pair, and the row is refused.
As RM-Gallery does, a row becomes two samples, one for each order; `data_group_id` holds them together. Unlike
there, answers are not copied into the metadata. Source: nvidia/HelpSteer2, CC-BY-4.0.
"""

from typing import Any, Final

from rrm.datasets.build import TIE, A, B, lettered, pair_id, sample, turned, user
from rrm.datasets.fields import Row, optional_text, require_columns, text, whole
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample
from rrm.scales import Scale

STRENGTH: Final = Scale(-3, 3)
NEITHER: Final = -100
COLUMNS: Final = ("prompt", "response_1", "response_2", "preference_strength")


def convert(row: Row) -> list[DataSample]:
    """Return the pair in both orders, the row's own first.

    Raises:
        RowRefused: If a column is missing or not of its type, or nobody says which answer is better.
    """
    require_columns(row, COLUMNS)
    first, second = text(row, "response_1"), text(row, "response_2")
    strength = strength_of(row["preference_strength"], "preference_strength")
    conversation = user(text(row, "prompt"))
    preferred = preferred_by(strength)
    shared = {
        "preference_strength": strength,
        "preference_statement": optional_text(row, "preference_statement"),
        "preference_elaboration": optional_text(row, "preference_elaboration"),
        "split": optional_text(row, "split"),
        "data_group_id": pair_id(conversation, first, second),
    }
    orders = (
        ("original_order", (first, second), preferred),
        ("swapped_order", (second, first), turned(preferred)),
    )
    return [
        sample(
            pair_id(conversation, *answers),
            conversation,
            lettered(answers),
            source="helpsteer2_pairwise",
            task_category="chat_pairwise",
            metadata={"preferred": better, "sample_type": order, **shared},
        )
        for order, answers, better in orders
    ]


def strength_of(value: Any, name: str) -> int:
    """Return the strength of a preference, -3 to 3.

    Raises:
        RowRefused: If it is none, or says that neither answer is acceptable.
    """
    if value == NEITHER:
        raise RowRefused("neither answer is acceptable", expected=f"{name}: from -3 to 3", found=shown(value))
    return whole(value, name, STRENGTH)


def preferred_by(strength: int) -> str:
    """Return the preferred answer of a strength, as the two stand in the row.

    >>> [preferred_by(strength) for strength in (-3, 0, 1)]
    ['A', 'tie', 'B']
    """
    return TIE if strength == 0 else A if strength < 0 else B
