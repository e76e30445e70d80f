from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rrm_api import group
from rrm_operator.facts import Key, Kind
from rrm_operator.store import Identity, Store

JUDGE = Key("demo", "judge")
Manifest = dict[str, Any]


def training(name: str = "judge", uid: str = "t1") -> Manifest:
    return {"metadata": {"namespace": "demo", "name": name, "uid": uid}, "spec": {}}


def child(name: str, uid: str = "u1", *, labels: Manifest | None = None, **parts: Any) -> Manifest:
    ours = {group.LABEL_TRAINING: "judge", **(labels or {})}
    return {"metadata": {"namespace": "demo", "name": name, "uid": uid, "labels": ours}, **parts}


def cluster(name: str = "judge-c1", uid: str = "u1", *, ready: bool = False) -> Manifest:
    condition = {"type": "HeadPodReady", "status": str(ready), "reason": "Because"}
    return child(name, uid, status={"conditions": [condition]})


def store_with(*fed: tuple[str, Manifest]) -> Store:
    store = Store()
    for kind, manifest in fed:
        store.feed(kind, manifest)
    return store


def cluster_names(store: Store) -> list[str]:
    snapshot = store.snapshot(JUDGE)
    assert snapshot is not None
    return [it.name for it in snapshot.clusters]


def nested(levels: int) -> Manifest:
    found: Manifest = {}
    for _ in range(levels):
        found = {"deeper": found}
    return found


@pytest.mark.parametrize("odd", [nested(300), {"number": 10**20}], ids=["deep", "big"])
def test_whatever_a_pod_template_holds_the_training_is_kept_and_so_are_all_others(odd: Manifest) -> None:
    spec = {"workers": {"podTemplate": {"odd": odd}}}
    snapshot = store_with((group.KIND, {**training(), "spec": spec})).snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.manifest["spec"] == spec


def test_a_child_wakes_the_training_that_its_label_names() -> None:
    assert store_with().feed(Kind.RAY_CLUSTER, cluster()) == JUDGE


def test_an_event_that_changes_no_fact_wakes_nobody() -> None:
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster()))
    assert store.feed(Kind.RAY_CLUSTER, {**cluster(), "lastUpdateTime": "now"}) is None
    assert store.feed(Kind.RAY_CLUSTER, cluster(ready=True)) == JUDGE


def test_a_training_without_children_and_children_without_a_training_are_both_known() -> None:
    store = store_with((Kind.RAY_CLUSTER, cluster()))
    assert store.snapshot(JUDGE) is None
    store.feed(group.KIND, training())
    assert cluster_names(store) == ["judge-c1"]


def test_a_deleted_child_is_evicted() -> None:
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster()))
    assert store.feed(Kind.RAY_CLUSTER, cluster(), deleted=True) == JUDGE
    assert cluster_names(store) == []


def test_a_late_deletion_of_a_namesake_does_not_evict_its_successor() -> None:
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster(uid="new")))
    assert store.feed(Kind.RAY_CLUSTER, cluster(uid="old"), deleted=True) is None
    store.feed(group.KIND, training(uid="old"), deleted=True)
    assert cluster_names(store) == ["judge-c1"]


def test_a_child_that_loses_our_label_is_no_longer_ours() -> None:
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster()))
    plain = cluster()
    plain["metadata"]["labels"] = {}
    assert store.feed(Kind.RAY_CLUSTER, plain) == JUDGE
    assert cluster_names(store) == []


@pytest.mark.parametrize("uid", ["u1", "made anew meanwhile"])
def test_a_child_whose_label_names_another_training_is_that_ones_and_can_be_evicted(uid: str) -> None:
    store = store_with((group.KIND, training()), (group.KIND, training("other", "t2")))
    store.feed(Kind.RAY_CLUSTER, cluster())
    moved = cluster(uid=uid)
    moved["metadata"]["labels"][group.LABEL_TRAINING] = "other"
    assert store.owner(Kind.RAY_CLUSTER, moved) == JUDGE
    assert store.feed(Kind.RAY_CLUSTER, moved) == Key("demo", "other")
    assert store.owner(Kind.RAY_CLUSTER, moved) == Key("demo", "other")
    assert cluster_names(store) == []
    other = store.snapshot(Key("demo", "other"))
    assert other is not None
    assert [it.name for it in other.clusters] == ["judge-c1"]
    assert store.sweep(Kind.RAY_CLUSTER, [], until=store.order).evicted == {Key("demo", "other")}


def test_an_answer_that_is_given_to_another_training_is_the_first_ones_no_more() -> None:
    broken = child("judge-progress", data={"train": "{"})
    store = store_with((group.KIND, training()), (Kind.CONFIG_MAP, broken))
    store.feed(Kind.CONFIG_MAP, child("judge-progress", labels={group.LABEL_TRAINING: "other"}))
    snapshot = store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.progress.unreadable == ()


def test_the_progress_config_map_wakes_when_its_data_change() -> None:
    store = store_with((group.KIND, training()), (Kind.CONFIG_MAP, child("judge-progress")))
    broken = child("judge-progress", data={"train": "{"})
    assert store.feed(Kind.CONFIG_MAP, broken) == JUDGE
    assert store.feed(Kind.CONFIG_MAP, broken) is None
    snapshot = store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.progress.unreadable[0].startswith("train: ")


def test_progress_is_forgotten_with_its_config_map() -> None:
    data = {"train": "{"}
    store = store_with((group.KIND, training()), (Kind.CONFIG_MAP, child("judge-progress", data=data)))
    store.feed(Kind.CONFIG_MAP, child("judge-progress"), deleted=True)
    snapshot = store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.progress.unreadable == ()


def test_an_object_that_vanished_while_no_one_watched_is_evicted_by_the_list_of_names() -> None:
    """A forced 410: kopf lists anew and never tells of what is gone."""
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster()))
    store.feed(Kind.RAY_CLUSTER, cluster("judge-c2", "u2"))
    sweep = store.sweep(Kind.RAY_CLUSTER, [Identity("demo", "judge-c2", "u2")], until=store.order)
    assert sweep.evicted == {JUDGE}
    assert sweep.missing == frozenset()
    assert cluster_names(store) == ["judge-c2"]


def test_what_was_made_while_the_list_was_on_its_way_is_not_evicted() -> None:
    store = store_with((group.KIND, training()))
    before = store.order
    store.feed(Kind.RAY_CLUSTER, cluster())
    assert store.sweep(Kind.RAY_CLUSTER, [], until=before).evicted == frozenset()
    assert cluster_names(store) == ["judge-c1"]


def test_a_list_names_what_no_event_has_told_of() -> None:
    identity = Identity("demo", "judge-c1", "u1")
    store = store_with()
    assert store.sweep(Kind.RAY_CLUSTER, [identity], until=0).missing == {identity}
    store.feed(Kind.RAY_CLUSTER, cluster())
    assert store.sweep(Kind.RAY_CLUSTER, [identity], until=store.order).missing == frozenset()


def test_a_foreign_pod_with_our_label_is_known_and_has_no_fact() -> None:
    store = store_with((group.KIND, training()), (Kind.POD, child("debug")))
    snapshot = store.snapshot(JUDGE)
    assert snapshot is not None
    assert snapshot.pods == ()
    assert store.sweep(Kind.POD, [Identity("demo", "debug", "u1")], until=9).missing == frozenset()


def test_a_vanished_training_is_evicted_by_the_list_of_names() -> None:
    store = store_with((group.KIND, training()))
    assert store.sweep(group.KIND, [], until=store.order).evicted == {JUDGE}
    assert store.snapshot(JUDGE) is None
    assert store.keys() == frozenset()


def test_kuberay_coming_or_going_wakes_every_training_and_forgets_its_clusters() -> None:
    store = store_with((group.KIND, training()), (Kind.RAY_CLUSTER, cluster()))
    assert store.set_kuberay(installed=True) == {JUDGE}
    assert store.set_kuberay(installed=True) == frozenset()
    assert store.set_kuberay(installed=False) == {JUDGE}
    assert cluster_names(store) == []


NAMES = st.sampled_from(["judge-c1", "judge-c2"])


class AnyWorld(RuleBasedStateMachine):
    """Whatever is made, deleted and lost on the way: after a list of names the store is the world."""

    def __init__(self) -> None:
        super().__init__()
        self.store = store_with((group.KIND, training()))
        self.world: dict[str, str] = {}
        self.told: dict[str, str] = {}
        self.made = 0

    @rule(name=NAMES, heard=st.booleans())
    def make(self, name: str, heard: bool) -> None:
        if name not in self.world:
            self.made += 1
            self.world[name] = f"u{self.made}"
            if heard:
                self.tell(name)

    @rule(name=NAMES)
    def tell(self, name: str) -> None:
        if name in self.world:
            self.store.feed(Kind.RAY_CLUSTER, cluster(name, self.world[name]))
            self.told[name] = self.world[name]

    @rule(name=NAMES, heard=st.booleans())
    def delete(self, name: str, heard: bool) -> None:
        uid = self.world.pop(name, None)
        if uid is not None and heard:
            self.store.feed(Kind.RAY_CLUSTER, cluster(name, uid), deleted=True)
            if self.told.get(name) == uid:
                del self.told[name]

    @rule()
    def sweep(self) -> None:
        listed = {Identity("demo", name, uid) for name, uid in self.world.items()}
        found = self.store.sweep(Kind.RAY_CLUSTER, listed, until=self.store.order)
        self.told = {name: uid for name, uid in self.told.items() if self.world.get(name) == uid}
        untold = {one for one in listed if self.told.get(one.name) != one.uid}
        assert found.missing == untold

    @invariant()
    def holds_what_it_was_told(self) -> None:
        assert cluster_names(self.store) == sorted(self.told)


TestAnyWorld = AnyWorld.TestCase
