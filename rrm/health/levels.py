"""Levels: metrics that are bad above or below a fixed threshold, each with the reason for its number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rrm.health.alarm import Reading, State
from rrm_api.conditions import Reason


@dataclass(frozen=True)
class Level:
    """A metric that is bad beyond one threshold and well only on the good side of another.

    Attributes:
        reason: What a finding is called.
        metric: Name in the stream.
        bad: Threshold; bad beyond it.
        well: Threshold; well up to it. Above `bad`, small values are the bad ones.
        name: What it is, for people.
        do: What to do.
    """

    reason: Reason
    metric: str
    bad: float
    well: float
    name: str
    do: str

    def read(self, values: Sequence[float]) -> Reading:
        """Read the last value of the metric; what is no finite number is bad."""
        value = values[-1]
        is_low_bad = self.well > self.bad
        is_bad = not math.isfinite(value) or (value < self.bad if is_low_bad else value > self.bad)
        if is_bad:
            side = "below" if is_low_bad else "above"
            return Reading(State.BAD, f"{self.name} {value:.3f} is {side} {self.bad:g}; {self.do}")
        is_well = value >= self.well if is_low_bad else value <= self.well
        return Reading(State.WELL if is_well else State.BETWEEN)


PARSE_RATE: Final = Level(
    # One answer in five earns the minimum whatever it judged, so the reward measures format first. Runs that
    # work read .93 and more from the start; the worst known set-up (thinking cut off) read .61.
    Reason.PARSE_RATE_LOW,
    "rrm/parse_ok",
    bad=0.8,
    well=0.9,
    name="share of readable answers",
    do="look at unreadable answers with `rrm inspect`; often the answer is cut off or the model thinks in "
    "a tag that model.reasoning does not name",
)
TRUNCATED: Final = Level(
    # A cut answer earns the minimum however good its reasoning was: beyond one in five, the cheapest way to a
    # higher reward is to think less. Half of that is left to the long tail of any thinking model.
    Reason.RESPONSES_TRUNCATED,
    "rrm/truncated",
    bad=0.2,
    well=0.1,
    name="share of answers that were cut off",
    do="raise data.maxResponseTokens, or set model.reasoning to None",
)
ZERO_VARIANCE: Final = Level(
    # Prompts all of whose answers earn the same have no gradient. Four answers that are right with chance
    # .95 agree in p^4 + (1 - p)^4 = 81 % of prompts, with chance .90 in 66 %: it is sure of nearly all.
    # Above .8 a step learns from less than a fifth of its batch, its error more than doubles (sqrt 5).
    Reason.ZERO_VARIANCE,
    "rrm/zero_variance_share",
    bad=0.8,
    well=0.66,
    name="share of prompts whose answers all earn the same",
    do="set training.filterGroups, raise temperature or rolloutsPerPrompt, or add harder rows",
)

KL_NATS: Final = 1.0
"""Nats per token: the starting model finds the judge's words e times less likely than the judge does, on
average over all of them. A chat model that reasons is itself unsure by 0.3-0.6 nats: beyond twice that the
judge no longer writes the starting model's language. At the usual weight of 0.001 such a KL costs a
thousandth of the reward, so nothing pulls it back."""
KL_GROWTH: Final = 10.0
"""Times the median of the last `KL_BEFORE` steps: a blow-up before the level is reached. A KL that learning
drives doubles within tens of steps; tenfold within a few is an update that went wrong."""
KL_BEFORE: Final = 50
KL_LEAST: Final = 0.1
"""Below this many nats growth means nothing: a KL that starts at 0 grows by any factor."""
KL_DO: Final = "lower learningRate or raise klCoefficient, and go back to the checkpoint before it"


def kl_too_high(values: Sequence[float]) -> Reading:
    """Read the KL against the starting model so far, in nats per token, one value per step.

    Bad: above 1, or above 0.1 and above ten times the median of the 50 steps before, or no number at all.
    Well: at most half of each threshold.
    """
    now, before = values[-1], [value for value in values[-KL_BEFORE - 1 : -1] if math.isfinite(value)]
    usual = float(np.median(before)) if before else math.inf
    limit = min(KL_NATS, max(KL_LEAST, KL_GROWTH * usual))
    if not now <= limit:
        return Reading(State.BAD, f"KL {now:.3f} nats per token is above {limit:.3f}; {KL_DO}")
    return Reading(State.WELL if now <= limit / 2 else State.BETWEEN)
