"""RMB: a conversation, one answer that shall win, and one (pairwise) or several (best of n) that shall lose.

One row of `Pairwise_set`, shortened:
    {"pair_uid": "...", "conversation_input": [{"role": "user", "content": "..."}],
     "chosen": {"answer": "...", "llm_name": "..."}, "reject": {"answer": "...", "llm_name": "..."},
     "category_path": "Pairwise_set/Helpfulness/Chat/Discussion"}
One row of `BoN_set`, shortened:
    {"bon_uid": "...", "conversation_input": [...], "bon_best": {"answer": "...", "llm_name": "..."},
     "loser_list": [{"answer": "...", "llm_name": "..."}, ...], "category_path": "BoN_set/Harmlessness/S1"}
RM-Gallery calls the source `rewardbench`, so that metrics of both mix; here it has its own name.
Source: Zhou-Zoey/RMB-Reward-Model-Benchmark, no licence stated. Benchmark: not to be trained on.
"""

from collections.abc import Sequence
from typing import Any

from rrm.datasets.build import CHOSEN, REJECTED, Output, answer, sample
from rrm.datasets.fields import (
    Row,
    as_text,
    conversation,
    identifier,
    items,
    optional_text,
    record,
    require_columns,
)
from rrm.sample import DataSample


def convert_pairwise(row: Row) -> list[DataSample]:
    """Return the pair, the winner first.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("pair_uid", "conversation_input", "chosen", "reject"))
    outputs = [
        _output(row["chosen"], "chosen", {**CHOSEN, "type": "chosen"}),
        _output(row["reject"], "reject", {**REJECTED, "type": "reject"}),
    ]
    return [_sample(row, "pair_uid", "rmbbenchmark_pairwise", outputs)]


def convert_bestofn(row: Row) -> list[DataSample]:
    """Return one sample of all answers, the winner first.

    Raises:
        RowRefused: If a column is missing or not of its type.
    """
    require_columns(row, ("bon_uid", "conversation_input", "bon_best", "loser_list"))
    losers = items(row["loser_list"], "loser_list")
    outputs = [
        _output(row["bon_best"], "bon_best", {**CHOSEN, "type": "bon_best"}),
        *(_output(loser, "loser_list", {**REJECTED, "type": "loser"}) for loser in losers),
    ]
    return [_sample(row, "bon_uid", "rmbbenchmark_bestofn", outputs)]


def _output(value: Any, name: str, label: dict[str, Any]) -> Output:
    fields = record(value, name, ("answer",))
    model = optional_text(fields, "llm_name") or "unknown"
    return answer(as_text(fields["answer"], f"{name} answer"), {**label, "model": model})


def _sample(row: Row, uid: str, source: str, outputs: Sequence[Output]) -> DataSample:
    return sample(
        identifier(row, uid),
        conversation(row["conversation_input"], "conversation_input"),
        outputs,
        source=source,
        task_category="conversation",
        metadata={"category_path": optional_text(row, "category_path")},
    )
