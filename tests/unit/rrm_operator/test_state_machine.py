"""The whole operator in a whole world: random lives, and what must hold in every one of them.

A life is a list of acts (people, faults, crashes, lost pods, clock jumps), then a fair world to its end. The
rules are in `simulation` (`status_rules`, `invariants`, `life`). A life that breaks one is shrunk and told as
a story. Steps are happenings of the world and looks of the operator: more than 100,000 in all parts together.
The lives are the same each time; `RRM_SEED=7` lives others.
"""

import itertools
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .simulation.life import WAITS, Moment, live
from .simulation.people import ACTS

pytestmark = pytest.mark.slow
SEED = int(os.environ.get("RRM_SEED", "0"))
PARTS = 4
STEPS_EACH = 26_000
LIVES_AT_ONCE = 60
MOMENTS = st.builds(
    Moment, st.sampled_from(WAITS), st.sampled_from(sorted(ACTS)), st.integers(min_value=0, max_value=139)
)
LIVES = st.one_of(
    st.lists(MOMENTS, max_size=4), *(st.lists(MOMENTS, min_size=n, max_size=n) for n in (6, 12, 24))
)
STORIES: dict[str, tuple[tuple[float, str, int], ...]] = {
    "nothing happens": (),
    "a clock that was ahead does not put the next attempt off": (
        (0.0, "clock", 2),
        (0.0, "clock", 2),
        (8.0, "API server away", 0),
    ),
    "a head starts again before its first report": ((15.0, "restart container", 0),),
    "an edit before the deadline does not revive after it": ((70.0, "edit", 19), (30.0, "edit", 11)),
    "an edit while pods leave does not revive after the deadline": (
        (20.0, "lose node", 1),
        (0.03, "edit identity", 1),
        (0.5, "edit", 11),
        (30.0, "time", 0),
    ),
    "edited while it is suspended and overdue": (
        (4.0, "edit", 11),
        (34.0, "suspend", 0),
        (4.0, "infrastructure crash", 2),
        (200.0, "edit", 5),
    ),
    "the clock goes back after a failed export": (
        (60.0, "fail job", 3),
        (200.0, "clock", 3),
        (10.0, "delete child", 4),
        (60.0, "time", 0),
    ),
    "the clock was ahead when it was asked to stop": (
        (15.0, "fault", 18),
        (15.0, "stop job", 0),
        (19.0, "clock", 2),
        (10.0, "clock", 0),
        (30.0, "restart container", 1),
    ),
    "KubeRay is uninstalled under a training that is over its deadline": (
        (60.0, "stop job", 0),
        (8.0, "edit", 11),
        (0.5, "KubeRay away", 1),
    ),
    "a trainer hangs whose clock is hours ahead": ((0.0, "trainer clock", 0), (60.0, "hang", 0)),
    "an operator starts again beside a trainer whose clock is hours behind": (
        (0.0, "trainer clock", 1),
        (60.0, "operator dies", 0),
        (20.0, "time", 0),
    ),
    "pods tell of a preemption before its RayCluster does": ((60.0, "preempt unseen", 2), (15.0, "time", 0)),
    "a preemption that is seen only by what it does": ((60.0, "preempt unseen", 5), (15.0, "time", 0)),
    "a preemption is over before its watch has told of it": (
        *((0.0, "API server away", 0),) * 4,
        (15.0, "delete pod", 0),
        (0.0, "preempt unseen", 0),
    ),
    "an edit while the export has answered and its Job has not ended": (
        *((0.0, "API server away", 0),) * 3,
        (6.0, "API server away", 1),
        (200.0, "API server away", 0),
        (0.0, "edit", 3),
    ),
    "a namesake of other rows is tried again": (
        (70.0, "recreate", 3),
        (60.0, "edit identity", 0),
        (60.0, "retry", 0),
    ),
    "a namesake is made while the progress of the old one cannot be seen": (
        (0.03, "watch breaks", 13),
        (16.0, "no image", 1),
        (0.03, "recreate", 1),
        (15.0, "time", 0),
    ),
}
"""Lives that once ended badly."""


@pytest.fixture(autouse=True)
def _quiet_operator() -> Iterator[None]:
    log = logging.getLogger("rrm_operator")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


@pytest.mark.parametrize("story", STORIES)
def test_a_life_that_once_ended_badly_keeps_every_rule(story: str) -> None:
    live([Moment(*moment) for moment in STORIES[story]])


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_every_rule_holds_and_every_training_comes_to_an_end(part: int) -> None:
    steps = looks = lives = 0

    def is_lived(moments: list[Moment]) -> None:
        nonlocal steps, looks, lives
        world = live(moments)
        steps, looks, lives = steps + world.steps, looks + world.operator.looks, lives + 1

    for some in itertools.count(SEED * 1000 + part * 100):
        if steps >= STEPS_EACH:
            break
        settings(
            max_examples=LIVES_AT_ONCE,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )(seed(some)(given(moments=LIVES)(is_lived)))()
    print(f"part {part}: {lives} lives, {steps:,} steps, of which {looks:,} looks of the operator")
