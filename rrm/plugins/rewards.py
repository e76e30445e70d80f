"""Reward functions of the user, with verl's signature, run unchanged: text in, an `Outcome` out.

What the function returns is the reward. The other numbers (parsed verdict, exact match, distance) come from
the training's own template, so that every training has the same metrics. A function that raises, or whose
score is no finite number, earns the minimum and is counted (`reward_error`).
"""

import copy
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any, Final

from rrm.plugins.contained import Raised, contained
from rrm.plugins.load import load_entry_point
from rrm.plugins.reward_form import RewardCall, reward_call
from rrm.rewards import Outcome, score_answer
from rrm.scales import Scale
from rrm.templates import Template
from rrm_api.spec_data import ExactReward, Reward
from rrm_api.spec_train import Method

FIELD: Final = "spec.reward.entryPoint"
MINIMUM: Final = 0.0
"""What an answer earns whose scoring failed."""
MOST_EXTRAS: Final = 16
"""Further numbers of one result that are kept."""
_LONGEST_NAME: Final = 64
_EXACT: Final = Reward(exact=ExactReward())
_PREFERENCES: Final = {-1.0: "A", 0.0: "tie", 1.0: "B"}
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class UserOutcome(Outcome):
    """An outcome whose score a function of the user gave.

    Attributes:
        extras: Further numbers of its result, in its order; which there are may differ from row to row.
        error: What went wrong, in one line; empty if nothing did.
    """

    extras: tuple[tuple[str, float], ...] = ()
    error: str = ""

    def as_metrics(self) -> dict[str, float]:
        """Return the numbers that every outcome has; `extras_text` has the others."""
        return {name: value for name, value in vars(self).items() if name not in ("extras", "error")}

    def extras_text(self) -> str:
        """Return the further numbers as JSON: one text per row, as verl wants the same keys in each."""
        return json.dumps(dict(self.extras))


@dataclass(frozen=True)
class UserReward:
    """A reward function of the user.

    Attributes:
        name: Its entry point, for messages.
        call: The function and the form it is called in.
        format_weight: Share of the reward that is paid for a well-formed answer alone, in [0, 1].
    """

    name: str
    call: RewardCall
    format_weight: float = 0.0

    def score(
        self,
        text: str,
        *,
        data_source: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | str | None,
        label: float | None,
        scale: Scale,
        template: Template,
        strength: float = 1.0,
        is_cut: bool = False,
    ) -> UserOutcome:
        """Return the outcome of an answer, whatever the function does.

        Args:
            text: What the judge wrote, without special tokens.
            data_source: Name under which metrics are kept apart.
            ground_truth: The label in upstream's words; see `ground_truth_of`.
            extra_info: The sample in upstream's shape, or its JSON; the function is given a copy.
            label: Truth on the scale.
            scale: Range of scores and labels.
            template: Reads the answer for the metrics.
            strength: How clear the preference of a pair is, in [0, 1].
            is_cut: Whether the token ids show that the length limit ended the answer.
        """
        read = score_answer(
            text, label, template=template, scale=scale, reward=_EXACT, strength=strength, is_cut=is_cut
        )
        known = dict(vars(read))  # of plain numbers alone: `asdict` would copy each of them deeply
        given = json.loads(extra_info) if isinstance(extra_info, str) else copy.deepcopy(extra_info)
        result = contained(lambda: _paid(self.call(data_source, text, ground_truth, given)))
        if isinstance(result, Raised):
            _say_once(f"{self.name}: {result}; such answers earn {MINIMUM} and count as reward_error")
            known |= {"score": MINIMUM, "reward_error": 1.0}
            return UserOutcome(**known, error=str(result))
        weight = self.format_weight
        earned = weight * read.parse_ok + (1 - weight) * result.score
        known |= {"score": earned, "reward_error": 0.0}
        return UserOutcome(**known, extras=result.extras)


def user_reward(entry_point: str, *, format_weight: float = 0.0) -> UserReward:
    """Return the reward that an entry point names.

    Args:
        entry_point: `package.module:name`.
        format_weight: Share of the reward that is paid for a well-formed answer alone, in [0, 1].

    Raises:
        PluginFailed: If it cannot be imported or has not verl's signature.
    """
    function = load_entry_point(entry_point, field=FIELD)
    return UserReward(entry_point, reward_call(function, name=f"{FIELD} {entry_point}"), format_weight)


def ground_truth_of(label: float, method: Method) -> str:
    """Return a label as RM-Gallery's datasets hand it to a reward function.

    A whole number is written as one: upstream takes "3.0" for no number at all.

    >>> ground_truth_of(3.0, Method.POINTWISE), ground_truth_of(-1.0, Method.PAIRWISE)
    ('3', 'A')
    """
    if method is Method.PAIRWISE:
        return _PREFERENCES[label + 0.0]
    return str(int(label)) if label == int(label) else str(label)


@dataclass(frozen=True)
class _Result:
    score: float
    extras: tuple[tuple[str, float], ...] = ()


def _paid(returned: Any) -> _Result:
    """Read what a function returned.

    Raises:
        ValueError, TypeError: If there is no finite score in it.
    """
    if not isinstance(returned, Mapping):
        return _Result(_finite(returned, "the returned value"))
    if "score" not in returned:
        found = ", ".join(map(str, list(returned)[:8])) or "nothing"
        raise ValueError(f"expected a number or a dictionary with the key score, found the keys {found}")
    extras = (
        (str(name)[:_LONGEST_NAME], float(value))
        for name, value in returned.items()
        if name != "score" and isinstance(value, Real) and math.isfinite(value)
    )
    return _Result(_finite(returned["score"], "score"), tuple(extras)[:MOST_EXTRAS])


def _finite(value: Any, what: str) -> float:
    if value is None or isinstance(value, str | bytes):
        raise TypeError(f"{what} is {value!r}, expected a finite number")
    number = float(value)  # NumPy's and torch's scalars, too
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}, expected a finite number")
    return number


@lru_cache(maxsize=64)
def _say_once(message: str) -> None:
    """Log a fault the first time: a function that always fails would fill the log."""
    _LOG.warning("%s", message)
