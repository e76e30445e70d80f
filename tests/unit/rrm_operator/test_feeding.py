"""What cannot be taken in of one object concerns that object alone."""

import logging
from typing import Any

import pytest

from rrm_api import group
from rrm_operator.facts import Key, Kind, Manifest
from rrm_operator.feeding import Feeding, Watchers
from rrm_operator.freshness import Freshness
from rrm_operator.logs import Masks
from rrm_operator.store import Identity, Store
from rrm_operator.telemetry import Telemetry
from rrm_operator.work_queue import WorkQueue

JUDGE, OTHER = Key("demo", "judge"), Key("demo", "other")
ODD_LABELS: Manifest = {group.LABEL_TRAINING: "judge", group.LABEL_ATTEMPT: 7}


async def look(key: Key) -> None:
    raise AssertionError("nobody looks")


@pytest.fixture
async def feeding() -> Feeding:
    return Feeding(Store(), WorkQueue(look, workers=1), Watchers(Freshness(), Telemetry(), Masks()))


def training(name: str = "judge", uid: str = "t1", **parts: Any) -> Manifest:
    return {"metadata": {"namespace": "demo", "name": name, "uid": uid}, "spec": {}, **parts}


def cluster(uid: str = "u1", **labels: Any) -> Manifest:
    ours = {group.LABEL_TRAINING: "judge", group.LABEL_ATTEMPT: "1", **labels}
    return {"metadata": {"namespace": "demo", "name": "judge-c1", "uid": uid, "labels": ours}}


def too_deep() -> Manifest:
    deep: Manifest = {}
    for _ in range(10_000):
        deep = {"a": deep}
    return deep


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"spec": too_deep()}, id="deep"),
        pytest.param({"status": {"conditions": ["none"]}}, id="a status of another version"),
    ],
)
async def test_a_training_that_cannot_be_taken_in_is_known_told_of_and_holds_up_nobody(
    feeding: Feeding, caplog: pytest.LogCaptureFixture, odd: Manifest
) -> None:
    feeding.feed(group.KIND, training(**odd), False)
    feeding.feed(group.KIND, training("other", "t2"), False)
    assert OTHER in feeding.store.keys()
    known = [Identity("demo", "judge", "t1"), Identity("demo", "other", "t2")]
    assert feeding.store.sweep(group.KIND, known, until=99).missing == frozenset()
    (told,) = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert told.object == "demo/judge"  # type: ignore[attr-defined]
    assert told.kind == group.KIND  # type: ignore[attr-defined]
    assert len(caplog.text) < 20_000


async def test_a_training_that_was_known_stays_as_it_was_until_it_can_be_read(
    feeding: Feeding,
) -> None:
    feeding.feed(group.KIND, training(spec={"a": 1}), False)
    feeding.feed(group.KIND, training(spec=too_deep()), False)
    snapshot = feeding.store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.manifest["spec"] == {"a": 1}
    feeding.feed(group.KIND, training(spec={"a": 2}), False)
    snapshot = feeding.store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.manifest["spec"] == {"a": 2}


async def test_of_a_namesake_that_cannot_be_taken_in_nothing_is_known(feeding: Feeding) -> None:
    feeding.feed(group.KIND, training(), False)
    feeding.feed(group.KIND, training(uid="t2", spec=too_deep()), False)
    assert feeding.store.snapshot(JUDGE) is None
    assert feeding.store.untold(group.KIND, frozenset({Identity("demo", "judge", "t2")})) == frozenset()
    assert feeding.store.sweep(group.KIND, [], until=99).evicted == {JUDGE}
    assert feeding.store.untold(group.KIND, frozenset({Identity("demo", "judge", "t2")})) != frozenset()


async def test_a_training_that_was_not_taken_in_is_forgotten_when_it_is_deleted(
    feeding: Feeding,
) -> None:
    feeding.feed(group.KIND, training(spec=too_deep()), False)
    feeding.feed(group.KIND, training(), True)
    assert feeding.store.untold(group.KIND, frozenset({Identity("demo", "judge", "t1")})) != frozenset()


async def test_a_child_that_cannot_be_taken_in_is_what_it_was_before(
    feeding: Feeding, caplog: pytest.LogCaptureFixture
) -> None:
    """A RayCluster that seemed to be gone would be made anew while its pods still write."""
    feeding.feed(group.KIND, training(), False)
    feeding.feed(Kind.RAY_CLUSTER, cluster(), False)
    feeding.feed(Kind.RAY_CLUSTER, cluster(**{group.LABEL_ATTEMPT: 7}), False)
    snapshot = feeding.store.snapshot(JUDGE)
    assert snapshot is not None
    assert [(it.name, it.attempt) for it in snapshot.clusters] == [("judge-c1", 1)]
    feeding.feed(Kind.RAY_CLUSTER, cluster("u2", **{group.LABEL_ATTEMPT: 7}), False)
    snapshot = feeding.store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.clusters == ()
    assert (
        feeding.store.untold(Kind.RAY_CLUSTER, frozenset({Identity("demo", "judge-c1", "u2")})) == frozenset()
    )
    assert {it.object for it in caplog.records} == {"demo/judge-c1"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("odd", [{}, {"metadata": None}, {"metadata": {"name": "x"}}])
async def test_what_does_not_even_say_who_it_is_is_told_of_and_left_out(
    feeding: Feeding, caplog: pytest.LogCaptureFixture, odd: Manifest
) -> None:
    feeding.feed(group.KIND, odd, False)
    feeding.feed(Kind.POD, odd, False)
    assert feeding.store.keys() == frozenset()
    assert len(caplog.records) == 2


async def test_a_child_that_now_names_another_training_leaves_the_first_and_both_are_looked_at(
    feeding: Feeding,
) -> None:
    """A person relabels a RayCluster: the first training would wait for its end for ever."""
    for name, uid in (("judge", "t1"), ("other", "t2")):
        feeding.feed(group.KIND, training(name, uid), False)
    feeding.feed(Kind.RAY_CLUSTER, cluster(), False)
    woken: list[Key] = []
    feeding.queue.add = lambda key, delay=0.0: woken.append(key)  # type: ignore[method-assign]
    feeding.feed(Kind.RAY_CLUSTER, cluster(**{group.LABEL_TRAINING: "other"}), False)
    assert sorted(woken) == [JUDGE, OTHER]
    first, second = feeding.store.snapshot(JUDGE), feeding.store.snapshot(OTHER)
    assert first is not None
    assert second is not None
    assert (len(first.clusters), len(second.clusters)) == (0, 1)
