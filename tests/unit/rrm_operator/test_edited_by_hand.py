"""What is edited by hand in a child is put right, once for each edit."""

import copy
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrm_operator.errors import ClusterUnavailable, Forbidden, Refused
from rrm_operator.facts import Kind
from rrm_operator.facts_from import object_fact
from tests.unit.rrm_operator.edits_by_hand import (
    ALL,
    EDITS,
    STRANGER,
    counts_from_the_other_side,
    opened,
    said,
    writes,
)
from tests.unit.rrm_operator.lives import live_until_starting

from .simulation.life import WAITS, Moment, live
from .simulation.people import ACTS
from .simulation.world import World

ADMIN = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "admin"}
NEVER_CHANGES = "RoleBinding is invalid: roleRef: cannot change roleRef"


@pytest.mark.parametrize("edit", EDITS)
async def test_what_is_edited_by_hand_is_put_right_at_the_next_look_and_then_left_alone(
    operator: Any, edit: str
) -> None:
    await live_until_starting(operator)
    kind, change = EDITS[edit]
    before = said(operator, kind)
    writes(operator)
    name = operator.world.edit_child(kind, change)
    assert said(operator, kind) != before
    await operator.look()
    assert writes(operator) == [f"apply {kind} {name}"]
    assert said(operator, kind) == before
    for _ in range(3):
        operator.world.seconds += 3600
        operator.world.train_reports(1)
        await operator.look()
    assert [it for it in writes(operator) if it != "status"] == []


@pytest.mark.parametrize("edit", EDITS)
async def test_the_event_of_an_edit_by_hand_wakes_its_training(operator: Any, edit: str) -> None:
    await live_until_starting(operator)
    kind, change = EDITS[edit]
    (name,) = operator.world.named(kind)
    live = operator.world.objects[kind, name]
    assert operator.world.store.feed(kind, live) is None
    operator.world.lags = True
    operator.world.edit_child(kind, change)
    assert operator.world.store.feed(kind, operator.world.objects[kind, name]) == operator.key


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_world_that_nobody_edits_costs_no_write_even_after_a_restart(
    operator: Any, restarts: bool
) -> None:
    await live_until_starting(operator)
    writes(operator)
    if restarts:
        operator.restart()
    assert await operator.look() is not None
    assert writes(operator) == []


async def test_what_others_add_beside_what_is_ours_is_theirs(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    writes(operator)
    pulls = [{"name": "registry"}]
    world.edit_child(Kind.SERVICE_ACCOUNT, lambda it: it.update(imagePullSecrets=pulls))
    world.edit_child(Kind.NETWORK_POLICY, lambda it: it["spec"].update(egress=[{}]))
    world.edit_child(Kind.POD_DISRUPTION_BUDGET, lambda it: it.update(status={"disruptionsAllowed": 0}))
    world.edit_child(Kind.ROLE, lambda it: it["metadata"]["annotations"].update(team="a"))
    await operator.look()
    assert writes(operator) == []


async def test_an_edit_of_the_spec_waits_for_nothing(operator: Any) -> None:
    await live_until_starting(operator)
    world = operator.world
    for _ in range(3):
        world.edit_child(Kind.ROLE_BINDING, lambda it: it["subjects"].append(STRANGER))
        await operator.look()
    writes(operator)
    world.edit(lambda spec: spec.update(serviceAccountName="ours"))
    await operator.look()
    assert "apply RoleBinding tiny-judge-trainer" in writes(operator)
    assert [it["name"] for it in said(operator, Kind.ROLE_BINDING)["subjects"]] == ["ours"]


async def test_what_is_not_written_for_want_of_an_answer_is_tried_again_as_ever(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_until_starting(operator)
    world = operator.world

    async def no_answer(manifest: Any) -> None:
        raise ClusterUnavailable("no answer")

    world.edit_child(Kind.NETWORK_POLICY, opened)
    with monkeypatch.context() as patched:
        patched.setattr(world, "apply", no_answer)
        with pytest.raises(ClusterUnavailable):
            await operator.look()
    writes(operator)
    await operator.look()
    assert writes(operator) == ["apply NetworkPolicy tiny-judge-network"]


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Refused(NEVER_CHANGES), id="since it cannot be changed"),
        pytest.param(Forbidden(NEVER_CHANGES, terminating=False), id="since it may not be changed"),
    ],
)
async def test_what_cannot_be_put_right_is_told_and_stops_nothing_else(
    operator: Any, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    await operator.settle()
    world, apply, tried = operator.world, operator.world.apply, list[float]()
    world.prepare_succeeds()
    await operator.settle()

    async def refusing(manifest: Any) -> None:
        if manifest["kind"] == Kind.ROLE_BINDING:
            tried.append(world.seconds - start)
            raise refusal
        await apply(manifest)

    await operator.look()
    start = world.seconds
    world.edit_child(Kind.ROLE_BINDING, lambda it: it.update(roleRef=ADMIN))
    with monkeypatch.context() as patched:
        patched.setattr(world, "apply", refusing)
        world.cluster_becomes_ready()
        assert await operator.settle() == "Starting"
        assert len(world.submissions) == 1
        assert NEVER_CHANGES in world.condition("Ready")["message"]
        for _ in range(20):
            world.train_reports(1)
            await operator.settle()
            world.seconds += 5
        assert tried == [0, 10, 30, 70]
        assert world.status["stage"] == "Training"
        assert NEVER_CHANGES in world.condition("Ready")["message"]
    world.remove(Kind.ROLE_BINDING, "tiny-judge-trainer")
    await operator.settle()
    assert said(operator, Kind.ROLE_BINDING)["roleRef"]["name"] == "tiny-judge-trainer"
    assert NEVER_CHANGES not in world.condition("Ready")["message"]


async def test_in_a_namespace_that_is_being_deleted_nothing_is_put_right(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker forgets a training whose look says so."""
    await live_until_starting(operator)

    async def refusing(manifest: Any) -> None:
        raise Forbidden("it is being terminated", terminating=True)

    monkeypatch.setattr(operator.world, "apply", refusing)
    operator.world.edit_child(Kind.ROLE, lambda it: it.pop("rules"))
    with pytest.raises(Forbidden):
        await operator.look()


async def test_a_refusal_is_forgotten_with_what_was_refused(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_until_starting(operator)
    world = operator.world

    async def refusing(manifest: Any) -> None:
        raise Refused(NEVER_CHANGES)

    world.edit_child(Kind.POD_DISRUPTION_BUDGET, counts_from_the_other_side)
    monkeypatch.setattr(world, "apply", refusing)
    assert await operator.look() == 0.0
    await operator.settle()
    assert NEVER_CHANGES in world.condition("Ready")["message"]
    world.edit(lambda spec: spec.setdefault("policy", {}).update(onDrain="Save"))
    monkeypatch.undo()
    await operator.settle()
    assert world.named(Kind.POD_DISRUPTION_BUDGET) == []
    assert NEVER_CHANGES not in world.condition("Ready")["message"]


async def test_who_puts_right_says_what_and_whose(operator: Any, caplog: pytest.LogCaptureFixture) -> None:
    await live_until_starting(operator)
    operator.world.edit_child(Kind.ROLE, lambda it: it["rules"].append(ALL))
    with caplog.at_level(logging.WARNING, logger="rrm_operator.apply"):
        await operator.look()
    (record,) = caplog.records
    assert "Role tiny-judge-trainer" in record.getMessage()
    assert record.__dict__["training"] == "demo/tiny-judge"


async def test_every_planned_field_of_a_kind_that_is_put_right_is_compared(operator: Any) -> None:
    """One that was forgotten could be edited by hand unseen."""
    await live_until_starting(operator)

    def leaves(value: Any, path: tuple[str, ...] = ()) -> Any:
        for name, inner in value.items():
            if isinstance(inner, dict):
                yield from leaves(inner, (*path, name))
            elif inner is not None:
                yield (*path, name)

    for kind in {it for it, _ in EDITS.values()}:
        (name,) = operator.world.named(kind)
        planned = operator.world.planned[kind, name]
        body = {it: planned[it] for it in planned.keys() - {"apiVersion", "kind", "metadata"}}
        assert list(leaves(body)), kind
        for *path, last in leaves(body):
            edited = {**planned}
            at: Any = edited
            for step in path:
                at[step] = dict(at[step])
                at = at[step]
            at[last] = "edited"
            assert object_fact(kind, edited).content != object_fact(kind, planned).content, (kind, path, last)


LISTS = tuple(it for name, it in EDITS.items() if "pod" not in name)
"""Without what is about selectors: the simulated API server does not replace those as a whole."""


def edit_child(world: World, n: int) -> None:
    """Let somebody edit one of the objects of every training."""
    kind, change = LISTS[n % len(LISTS)]
    for name in world.api.named(kind):
        world.timeline.tell(f"somebody edits {kind} {name}")
        edited = copy.deepcopy(world.api.objects[kind, name])
        change(edited)
        world.api.put(edited)


def moments(*acts: str) -> st.SearchStrategy[Moment]:
    return st.builds(Moment, st.sampled_from(WAITS), st.sampled_from(acts), st.integers(0, 139))


def test_in_whatever_life_edits_by_hand_keep_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTS, "edit child", edit_child)  # type: ignore[arg-type] # a dict, for this test
    edits = moments("edit child")

    @settings(max_examples=60, database=None, derandomize=True)
    @given(st.lists(st.one_of(edits, moments(*sorted(ACTS))), min_size=4, max_size=16))
    def is_lived(life: list[Moment]) -> None:
        live(life)

    is_lived()
