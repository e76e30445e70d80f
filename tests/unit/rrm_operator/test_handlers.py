import logging

import pytest

from rrm_operator.errors import ClusterUnavailable, Conflict, Forbidden, OperatorError
from rrm_operator.facts import Key
from rrm_operator.handlers import Worker

JUDGE = Key("demo", "judge")


def failing(*errors: Exception | float | None) -> Worker:
    script = list(errors)

    async def reconcile(_: Key) -> float | None:
        outcome = script.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Worker(reconcile, chance=lambda: 1.0)


async def test_a_good_look_decides_when_the_next_one_is() -> None:
    assert await failing(7.0).look(JUDGE) == 7.0
    assert await failing(None).look(JUDGE) is None


async def test_the_delay_grows_with_failures_in_a_row_and_is_reset_by_a_good_look() -> None:
    down = ClusterUnavailable("503")
    worker = failing(down, down, down, None, down)
    assert [await worker.look(JUDGE) for _ in range(5)] == [1.0, 2.0, 4.0, None, 1.0]


async def test_each_training_has_its_own_count() -> None:
    down = ClusterUnavailable("503")
    worker = failing(down, down, down)
    assert [await worker.look(Key("demo", name)) for name in "aab"] == [1.0, 2.0, 1.0]


async def test_a_conflict_is_looked_at_again_soon() -> None:
    delay = await failing(Conflict("409")).look(JUDGE)
    assert delay is not None
    assert delay < 1


async def test_a_training_in_a_terminating_namespace_is_forgotten() -> None:
    assert await failing(Forbidden("403", terminating=True)).look(JUDGE) is None


@pytest.mark.parametrize(
    "error", [Forbidden("403", terminating=False), OperatorError("new"), ValueError("bug")]
)
async def test_everything_else_is_tried_again(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await failing(error).look(JUDGE) is not None
    assert caplog.records[0].__dict__["training"] == "demo/judge"


async def test_a_bug_leaves_its_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await failing(ValueError("bug")).look(JUDGE)
    assert caplog.records[0].exc_info is not None
