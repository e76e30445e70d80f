"""Reward collapse: the smoothed training reward falls far below its best."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from rrm.health.alarm import Reading, State

WINDOW: Final = 10
"""Steps in a smoothed value. Published rewards of 96 prompts x 4 answers scatter by +-0.04 a step; the mean
of ten scatters by a third of that."""
LOST_SHARE: Final = 0.5
"""Share of the gain (best minus first smoothed value) whose loss is a collapse. Published healthy runs lose
less: RM-Gallery's pointwise Qwen3-8B gives back 14 % between steps 280 and 320 and goes on to its best; the
one that collapsed (pairwise Qwen2.5-14B, step 88) lost twice what it had gained."""
NOISE_ERRORS: Final = 7
"""A drop below this many standard errors of a smoothed value is noise, however small the gain. Over 300 runs
of 400 steps that stay flat (noise of 0.02 or 0.04 a step) no alarm was raised, with six errors in 1 %; the
published collapse, with noise of 0.02 to 0.04, is found in 98 to 100 % of 200 runs, usually 6 to 11 steps
after its bottom. Best minus current is the largest of hundreds of differences, so that the usual two or three
errors would be passed by chance."""
DO: Final = (
    "go back to the best checkpoint and go on with a lower learning rate or a higher klCoefficient; look at "
    "sampled answers first"
)


def reward_collapse(rewards: Sequence[float]) -> Reading | None:
    """Read the training rewards so far, one per step; None before two windows are full.

    Bad: the smoothed reward lies below its best by more than half the gain and by more than seven standard
    errors. Well: by less than half of that.
    """
    if len(rewards) < 2 * WINDOW:
        return None
    smoothed = np.convolve(rewards, np.ones(WINDOW) / WINDOW, mode="valid")
    now, best, first = float(smoothed[-1]), float(smoothed.max()), float(smoothed[0])
    allowed = max(LOST_SHARE * (best - first), NOISE_ERRORS * _error(rewards))
    drop = best - now
    if drop > allowed:
        message = (
            f"training reward {now:.3f} (mean of {WINDOW} steps) is below {best - allowed:.3f}, its best was "
            f"{best:.3f} after {first:.3f} at the start"
        )
        return Reading(State.BAD, f"{message}; {DO}")
    return Reading(State.WELL if drop <= allowed / 2 else State.BETWEEN)


def _error(rewards: Sequence[float]) -> float:
    """Return the standard error of a smoothed value, from the differences of successive steps.

    Differences do not see a trend and their median does not see a jump: only the scatter is left.
    1.4826 turns a median of absolute values into a standard deviation of normal noise.
    """
    scatter = 1.4826 * float(np.median(np.abs(np.diff(rewards)))) / np.sqrt(2)
    return float(scatter / np.sqrt(WINDOW))
