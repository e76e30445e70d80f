"""PRMBench: a question, a right solution in steps, and one into which errors were put.

One row, shortened:
    {"idx": "circular_prm_test_p1_0", "question": "...", "original_question": "...",
     "modified_question": "...", "original_process": ["1. Let p be ...", "2. ..."],
     "modified_process": ["1. Let p be ...", "2. Assume ..."],
     "modified_steps": [3, 4], "error_steps": [3], "reason": "...", "classification": "circular"}
Step numbers count from 1. A row without error steps (`multi_solutions`) holds two right solutions: a tie. The
judge sees whole solutions; the labels of the steps are kept. Source: hitsmy/PRMBench_Preview, Apache-2.0.
Benchmark: not to be trained on.
"""

from collections.abc import Sequence
from typing import Any

from rrm.datasets.build import TIE, A, Output, answer, pair_id, sample, user
from rrm.datasets.fields import WRONG_TYPE, Row, as_text, items, optional_text, require_columns, texts
from rrm.datasets.refusal import RowRefused, shown
from rrm.sample import DataSample


def convert(row: Row) -> list[DataSample]:
    """Return the pair, the right solution first.

    Raises:
        RowRefused: If a column is missing or not of its type, or an error step is not there.
    """
    require_columns(row, ("original_process", "modified_process", "error_steps"))
    asked = as_text(row.get("question") or row.get("original_question"), "question")
    right, wrong = (
        texts(row["original_process"], "original_process"),
        texts(row["modified_process"], "modified_process"),
    )
    errors = _error_steps(row["error_steps"], len(wrong))
    idx, classification = optional_text(row, "idx"), optional_text(row, "classification")
    return [
        sample(
            idx or pair_id(user(asked), *right, "", *wrong),
            user(asked),
            [
                _output(right, (), "original_correct"),
                _output(wrong, errors, "modified_with_errors"),
            ],
            source="prmbench",
            task_category=classification or "reasoning",
            metadata={
                "preferred": A if errors else TIE,
                "classification": classification,
                "error_steps": errors,
                "reason": optional_text(row, "reason"),
                "idx": idx,
            },
        )
    ]


def _output(steps: Sequence[str], errors: Sequence[int], kind: str) -> Output:
    labelled = [
        {"content": said, "label": {"correctness": "error" if n in errors else "correct", "step_idx": n}}
        for n, said in enumerate(steps, start=1)
    ]
    return answer("\n".join(steps), {"process_type": kind}, labelled)


def _error_steps(value: Any, steps: int) -> list[int]:
    numbers = items(value, "error_steps", least=0)
    if any(type(number) is not int or not 1 <= number <= steps for number in numbers):
        raise RowRefused(WRONG_TYPE, expected=f"error_steps: numbers from 1 to {steps}", found=shown(value))
    return numbers
