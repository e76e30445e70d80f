"""Numbers about one training step's answers, which verl does not log while training. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

SAME: Final = 1e-9
HOOK_SECONDS: Final = "hook_seconds"
SPLIT: Final = {"entropy": "entropy", "truncated": "clip"}
"""Numbers that are also told apart by right and wrong: how sure the judge is, and how often it is cut off."""


@dataclass(frozen=True)
class StepMetrics:
    """Means of a step.

    Attributes:
        means: Mean of each number over the answers, those of `SPLIT` also over right and over wrong answers
            alone (`entropy_right`), and `zero_variance_share`, the share of prompts all of whose sessions
            earned the same and so teach nothing.
        expected: Sessions that were ordered.
        missing: Sessions that never came or could not be scored.
        hook_seconds: Time that our own code took for all answers together.
    """

    means: dict[str, float]
    expected: int
    missing: int
    hook_seconds: float


def step_metrics(
    keys: Sequence[str], infos: Sequence[Mapping[str, Any]], scores: Sequence[float], *, expected: int
) -> StepMetrics:
    """Return the numbers of a step.

    Args:
        keys: Key of each answer, `{prompt}_{session}_{answer}`.
        infos: What is known of it, by name; texts are left out. `acc` = 1 is a right answer.
        scores: What its session earned.
        expected: Sessions that were ordered.

    >>> infos = [{"acc": 1.0, "hook_seconds": .1}, {"acc": 0.0, "hook_seconds": .1}]
    >>> step_metrics(["a_0_0", "a_1_0"], infos, [1.0, 1.0], expected=4)
    StepMetrics(means={'acc': 0.5, 'zero_variance_share': 1.0}, expected=4, missing=2, hook_seconds=0.2)
    """
    values: dict[str, list[float]] = defaultdict(list)
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for key, info, score in zip(keys, infos, scores, strict=True):
        prompt, session, _ = key.rsplit("_", 2)
        groups[prompt][session] = score
        for name, value in info.items():
            if isinstance(value, bool | int | float) and isfinite(value):
                values[name].append(float(value))
                if name in SPLIT and "acc" in info:
                    values[f"{SPLIT[name]}_{'right' if info['acc'] == 1 else 'wrong'}"].append(float(value))
    seconds = sum(values.pop(HOOK_SECONDS, []))
    means = {name: sum(found) / len(found) for name, found in values.items()}
    if groups:
        flat = sum(max(group.values()) - min(group.values()) < SAME for group in groups.values())
        means["zero_variance_share"] = flat / len(groups)
    answers = sum(len(group) for group in groups.values())
    return StepMetrics(means=means, expected=expected, missing=expected - answers, hook_seconds=seconds)
