"""Keys of a script that no field of the spec says: dropped with the reason, or kept as raw overrides."""

from collections.abc import Mapping
from typing import Final

from rrm.presets.verl_keys import ROLLOUT
from rrm.seed_import.keys import CONSUMED, DROPPED, REF, RENAMED, SECTIONS
from rrm.seed_import.shell import Word
from rrm.seed_import.sources import Advice
from rrm_api.spec_train import reaches_owned

LOG_PROB_KEYS: Final = frozenset(
    {f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu", f"{REF}.log_prob_micro_batch_size_per_gpu"}
)
MOST: Final = 56
"""The spec takes 64 raw overrides; some are kept for numbers that have no field of their own."""


def leftovers(arguments: Mapping[str, Word], micro_batch: int | None, advice: Advice) -> dict[str, str]:
    """Return the raw overrides; what is dropped goes into the advice with its reason."""
    kept: dict[str, str] = {}
    for key, word in arguments.items():
        if key in CONSUMED:
            continue
        reason = _reason_to_drop(key, word.text, micro_batch)
        if reason is not None:
            advice.notes.append(f"{key}={word.text}: left out; {reason}")
        elif word.unresolved:
            advice.todo.append(
                f"training.overrides {key}: the script takes it from {', '.join(word.unresolved)}; set it "
                "yourself if it matters"
            )
        elif key.partition(".")[0] not in SECTIONS or len(kept) == MOST:
            advice.todo.append(f"{key}: verl 0.9.1 has no such section, or the spec is full; not copied")
        else:
            kept[RENAMED.get(key, key)] = word.text
    if kept:
        advice.todo.append(
            f"training.overrides: check that verl 0.9.1 still knows {', '.join(kept)}; a new key needs a + "
            "before it"
        )
    return kept


def _reason_to_drop(key: str, value: str, micro_batch: int | None) -> str | None:
    if key in LOG_PROB_KEYS and value == str(micro_batch):
        return "it follows training.microBatchSizePerGPU"
    holds_for, reason = DROPPED.get(key, ("", ""))
    if reason and holds_for in (None, value.lower()):
        return reason
    return "other fields of the spec set it" if reaches_owned(key) else None
