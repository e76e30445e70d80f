"""PandaLM's test set: an instruction, two answers, and what three people preferred, ties included.

One row of `testset-v1.json`, shortened:
    {"idx": 0, "motivation_app": "Grammarly", "cmp_key": "bloom-7b_llama-7b", "instruction": "Rewrite ...",
     "input": "If you have any ...", "response1": "...", "response2": "...", "annotator1": 2, "annotator2": 2,
     "annotator3": 2}
1 and 2 name the better answer, 0 is a tie; the majority is the truth, and the share of people who voted for
it is `metadata.agreement`. Where all three differ there is no truth. Six published answers are JSON booleans
and 54 are empty: both are refused. Source: WeOpenML/PandaLM, Apache-2.0.
"""

from collections import Counter
from typing import Final

from rrm.datasets.build import TIE, A, B, lettered, pair_id, sample, user
from rrm.datasets.fields import Row, choice, optional_text, require_columns, text
from rrm.datasets.refusal import RowRefused
from rrm.sample import DataSample

VOTES: Final = ((1, A), (2, B), (0, TIE))
ANNOTATORS: Final = ("annotator1", "annotator2", "annotator3")


def convert(row: Row) -> list[DataSample]:
    """Return the pair in the row's order.

    Raises:
        RowRefused: If a column is missing or not of its type, or no majority prefers anything.
    """
    require_columns(row, ("instruction", "response1", "response2", *ANNOTATORS))
    answers = text(row, "response1"), text(row, "response2")
    preferred, voters = _majority(row)
    given = optional_text(row, "input")
    instruction = text(row, "instruction")
    asked = user(f"{instruction}\n\n{given}" if given else instruction)
    return [
        sample(
            pair_id(asked, *answers),
            asked,
            lettered(answers),
            source="pandalm",
            task_category="instruction_following",
            metadata={
                "preferred": preferred,
                "agreement": voters / len(ANNOTATORS),
                "motivation_app": optional_text(row, "motivation_app"),
                "cmp_key": optional_text(row, "cmp_key"),
            },
        )
    ]


def _majority(row: Row) -> tuple[str, int]:
    votes = Counter(choice(row[name], name, VOTES) for name in ANNOTATORS)
    preferred, voters = votes.most_common(1)[0]
    if voters == 1:
        raise RowRefused(
            "no majority", expected="two of three annotators of one mind", found="three verdicts"
        )
    return preferred, voters
