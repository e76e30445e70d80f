"""Events are fed in their order and all of them, and never so many at once that nothing else has its turn."""

import asyncio
import threading
import time
from typing import Any

import pytest

from rrm_operator.inbox import SLICE_SECONDS, Inbox

Fed = list[int]


def filled(feed: Any, *, events: int = 300) -> tuple[Inbox, threading.Event]:
    stop = threading.Event()
    inbox = Inbox(feed, stop)
    for number in range(events):
        inbox.put("Pod", {"number": number}, False)
    inbox.wake()
    return inbox, stop


async def until_idle() -> None:
    for _ in range(1000):
        await asyncio.sleep(0)


async def test_a_burst_of_events_leaves_the_loop_to_others_in_between() -> None:
    fed = Fed()

    def slow(kind: str, manifest: Any, deleted: bool) -> None:
        time.sleep(SLICE_SECONDS / 10)
        fed.append(manifest["number"])

    filled(slow)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(fed) < 100, "the lease is renewed between two slices"
    await until_idle()
    assert fed == list(range(300))


async def test_an_event_that_cannot_be_fed_is_told_of_and_holds_up_no_other() -> None:
    fed, told = Fed(), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

    def picky(kind: str, manifest: Any, deleted: bool) -> None:
        if manifest["number"] == 1:
            raise ValueError("odd")
        fed.append(manifest["number"])

    filled(picky, events=4)
    await until_idle()
    assert fed == [0, 2, 3]
    assert [str(it) for it in told] == ["odd"]


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_what_a_watch_told_before_it_stopped_is_dropped_since_the_next_one_tells_it_anew(
    is_stopped: bool,
) -> None:
    fed = Fed()
    _, stop = filled(lambda kind, manifest, deleted: fed.append(manifest["number"]), events=3)
    if is_stopped:
        stop.set()
    await until_idle()
    assert fed == ([] if is_stopped else [0, 1, 2])
