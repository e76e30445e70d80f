"""What each detector calls bad, well and neither."""

import math
import random

import pytest

from rrm.health.alarm import State
from rrm.health.collapse import WINDOW, reward_collapse
from rrm.health.learning import no_lift
from rrm.health.levels import PARSE_RATE, TRUNCATED, ZERO_VARIANCE, Level, kl_too_high


@pytest.mark.parametrize(
    ("level", "value", "state"),
    [
        pytest.param(PARSE_RATE, 0.79, State.BAD, id="a fifth cannot be read"),
        pytest.param(PARSE_RATE, 0.8, State.BETWEEN, id="just a fifth"),
        pytest.param(PARSE_RATE, 0.9, State.WELL, id="nine of ten can"),
        pytest.param(PARSE_RATE, math.nan, State.BAD, id="a parse rate that is no number"),
        pytest.param(TRUNCATED, 0.21, State.BAD, id="a fifth is cut off"),
        pytest.param(TRUNCATED, 0.2, State.BETWEEN, id="not quite a fifth"),
        pytest.param(TRUNCATED, 0.1, State.WELL, id="one of ten is cut off"),
        pytest.param(ZERO_VARIANCE, 0.81, State.BAD, id="four of five prompts teach nothing"),
        pytest.param(ZERO_VARIANCE, 0.66, State.WELL, id="two of three"),
        pytest.param(ZERO_VARIANCE, 0.7, State.BETWEEN, id="between"),
    ],
)
def test_levels_read_the_last_value(level: Level, value: float, state: State) -> None:
    assert level.read([0.0, value]).state is state
    assert level.read([1.0, value]).state is state


def test_a_level_says_value_threshold_and_what_to_do() -> None:
    assert PARSE_RATE.read([0.5]).message.startswith("share of readable answers 0.500 is below 0.8; look at")
    assert TRUNCATED.read([0.5]).message.startswith(
        "share of answers that were cut off 0.500 is above 0.2; raise"
    )


@pytest.mark.parametrize(
    ("values", "state"),
    [
        pytest.param([1.01], State.BAD, id="more than a nat per token"),
        pytest.param([0.5], State.WELL, id="half a nat with no history"),
        pytest.param([0.51], State.BETWEEN, id="between"),
        pytest.param([math.nan], State.BAD, id="no number"),
        pytest.param([0.1, math.inf], State.BAD, id="infinite"),
        pytest.param([0.02] * 60 + [0.21], State.BAD, id="ten times what was usual"),
        pytest.param([0.02] * 60 + [0.19], State.BETWEEN, id="nine times what was usual"),
        pytest.param([0.02] * 60 + [0.1], State.WELL, id="five times what was usual"),
        pytest.param([0.0] * 60 + [0.1], State.BETWEEN, id="far above nothing, and still nothing much"),
        pytest.param([0.0] * 60 + [0.11], State.BAD, id="far above nothing"),
        pytest.param([0.001] * 60 + [0.04] * 50 + [0.3], State.BETWEEN, id="only fifty steps are remembered"),
        pytest.param([math.nan, 0.02, 0.1], State.WELL, id="what was no number is not remembered"),
    ],
)
def test_kl_is_too_high_by_level_or_by_growth(values: list[float], state: State) -> None:
    assert kl_too_high(values).state is state


def test_kl_says_value_and_threshold() -> None:
    assert kl_too_high([2.0]).message.startswith("KL 2.000 nats per token is above 1.000; lower learningRate")


def noisy(levels: list[float], *, noise: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [level + chance.gauss(0, noise) for level in levels]


def test_a_collapse_needs_two_windows() -> None:
    assert reward_collapse([0.5] * (2 * WINDOW - 1)) is None
    assert reward_collapse([0.5] * (2 * WINDOW)) is not None


@pytest.mark.parametrize(
    ("last", "state"),
    [
        pytest.param(0.64, State.BAD, id="more than half of the gain is lost"),
        pytest.param(0.66, State.BETWEEN, id="less than half is lost"),
        pytest.param(0.72, State.BETWEEN, id="more than a quarter"),
        pytest.param(0.73, State.WELL, id="less than a quarter"),
    ],
)
def test_without_noise_half_of_the_gain_is_the_measure(last: float, state: State) -> None:
    """From .5 to .8; whatever falls below .65 is a collapse."""
    reading = reward_collapse([0.5] * WINDOW + [0.8] * 3 * WINDOW + [last] * WINDOW)
    assert reading is not None
    assert reading.state is state


def test_a_collapse_says_where_it_came_from() -> None:
    reading = reward_collapse([0.5] * WINDOW + [0.8] * 3 * WINDOW + [0.6] * WINDOW)
    assert reading is not None
    assert reading.message.startswith(
        "training reward 0.600 (mean of 10 steps) is below 0.650, its best was 0.800 after 0.500 at the start"
    )


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_lasting_collapse(seed: int) -> None:
    rewards = noisy([0.6] * 150, noise=0.03, seed=seed)
    row = longest = 0
    for end in range(20, len(rewards) + 1):
        reading = reward_collapse(rewards[:end])
        row = row + 1 if reading is not None and reading.state is State.BAD else 0
        longest = max(longest, row)
    assert longest < WINDOW


def test_a_reward_that_only_falls_is_a_collapse_too() -> None:
    reading = reward_collapse(noisy([0.6 - 0.004 * step for step in range(60)], noise=0.01, seed=1))
    assert reading is not None
    assert reading.state is State.BAD


@pytest.mark.parametrize(
    ("reward", "base", "floor", "state"),
    [
        pytest.param(0.70, 0.6, 0.68, State.BAD, id="within two errors of the floor"),
        pytest.param(0.71, 0.6, 0.68, State.WELL, id="above the floor"),
        pytest.param(0.70, 0.69, None, State.BAD, id="within two errors of the base"),
        pytest.param(0.70, None, 0.6, State.WELL, id="above the only one known"),
        pytest.param(0.10, None, None, State.WELL, id="nothing to be above of"),
    ],
)
def test_a_lift_is_more_than_two_errors(
    reward: float, base: float | None, floor: float | None, state: State
) -> None:
    assert no_lift([1.0, reward], base=base, best_floor=floor, error=0.01).state is state


def test_no_lift_names_what_it_is_not_above_of() -> None:
    reading = no_lift([0.7], base=0.6, best_floor=0.68, error=0.02)
    assert reading.message.startswith(
        "no lift yet: validation reward 0.700 is not above 0.720, that is the best floor at 0.680 plus 2"
    )
