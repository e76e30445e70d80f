"""What holds whatever happens, in whatever order: invariants of conditions, attempts and writes."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rrm_api.conditions import ConditionType
from rrm_api.run import Role
from rrm_operator.facts import Kind

KINDS = [kind.value for kind in ConditionType]


def unfinished_job(world: Any, role: Role) -> bool:
    return any(
        f"-{role}-" in name and "status" not in world.objects[Kind.JOB, name]
        for name in world.named(Kind.JOB)
    )


def live_cluster(world: Any) -> bool:
    names = world.named(Kind.RAY_CLUSTER)
    return bool(names) and "deletionTimestamp" not in world.objects[Kind.RAY_CLUSTER, names[-1]]["metadata"]


def running_attempt(world: Any) -> int:
    """Return the attempt whose pods run, 0 if none does."""
    if not live_cluster(world) or not world.pods(world.newest_cluster) or not world.submissions:
        return 0
    number = int(world.newest_cluster.rpartition("-c")[2])
    return number if world.submissions[-1].submission_id.endswith(f"-a{number}") else 0


def when(holds: Callable[[Any], object], happens: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda world: happens(world) if holds(world) else None


def fails_to_prepare(world: Any) -> None:
    world.job_ends(Role.PREPARE, None, exit_code=10)


def edits(field: str, **values: Any) -> Callable[[Any], object]:
    return lambda world: world.edit(lambda spec: spec.setdefault(field, {}).update(values))


def can_change_rows(world: Any) -> bool:
    """Return whether the API server would let the reward change: only until a checkpoint exists."""
    return "latestStep" not in world.status.get("checkpoints", {})


def deletes_head(world: Any) -> None:
    for pod in world.named(Kind.POD):
        if pod.endswith("-head"):
            world.delete_pod(pod)


def time_passes(world: Any) -> None:
    world.seconds += 20


EVENTS: dict[str, Callable[[Any], object]] = {
    "prepared": when(lambda w: unfinished_job(w, Role.PREPARE), lambda w: w.prepare_succeeds()),
    "prepare fails": when(lambda w: unfinished_job(w, Role.PREPARE), fails_to_prepare),
    "cluster ready": when(
        lambda w: live_cluster(w) and not w.pods(w.newest_cluster), lambda w: w.cluster_becomes_ready()
    ),
    "step": when(running_attempt, lambda w: w.train_reports(3, attempt=running_attempt(w))),
    "saved": when(running_attempt, lambda w: w.train_reports(12, attempt=running_attempt(w), saved=12)),
    "trained": when(running_attempt, lambda w: w.train_ends(attempt=running_attempt(w))),
    "train fails": when(running_attempt, lambda w: w.train_fails(attempt=running_attempt(w))),
    "exported": when(lambda w: unfinished_job(w, Role.EXPORT), lambda w: w.export_succeeds()),
    "pods leave": lambda w: w.pods_leave(),
    "head is deleted": deletes_head,
    "learning rate": edits("training", learningRate="1e-5"),
    "resources": edits("workers", nodeSelector={"a": "b"}),
    "reward": when(can_change_rows, lambda w: w.edit(lambda spec: spec.update(reward={"linear": {}}))),
    "broken template": edits("jobs", podTemplate={"spec": 7}),
    "right template": edits("jobs", podTemplate={}),
    "time": time_passes,
    "restart": lambda w: None,
    "no kuberay": lambda w: w.store.set_kuberay(installed=False) and None,
}
LIFE = ["prepared", "cluster ready", "step", "trained", "pods leave", "exported"]
SEQUENCES = st.one_of(
    st.lists(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=14),
    # A whole life with other things in between reaches the late stages much more often.
    st.lists(st.lists(st.sampled_from(sorted(EVENTS)), max_size=2), min_size=6, max_size=6).map(
        lambda between: [it for step, others in zip(LIFE, between, strict=True) for it in (*others, step)]
    ),
)


def check(world: Any, before: dict[str, Any]) -> None:
    conditions = {it["type"]: it for it in world.status["conditions"]}
    assert [it["type"] for it in world.status["conditions"]] == KINDS
    assert world.status["observedGeneration"] == world.training["metadata"]["generation"]
    true = {kind for kind, it in conditions.items() if it["status"] == "True"}
    assert len(true & {"Ready", "Reconciling", "Stalled"}) == 1
    for kind, old in before.items():
        if old["lastTransitionTime"] != conditions[kind]["lastTransitionTime"]:
            assert old["status"] != conditions[kind]["status"]
    if before and before["Succeeded"]["status"] == "True":
        assert conditions["Succeeded"]["status"] == "True"
    ids = [it.submission_id for it in world.submissions]
    assert len(ids) == len(set(ids))
    assert len(world.named(Kind.RAY_CLUSTER)) <= 1
    numbers = [it["number"] for it in world.status.get("attempts", [])]
    assert numbers == sorted(set(numbers))
    for (kind, name), manifest in world.planned.items():
        assert len(name) <= 63, (kind, name)
        assert all(len(value) <= 63 for value in manifest["metadata"]["labels"].values())


async def live(operator: Any, sequence: list[str]) -> None:
    world, before = operator.world, {}
    for event in ["restart", *sequence]:
        if event == "restart":
            operator.restart()
        EVENTS[event](world)
        world.seconds += 1
        for _ in range(8):
            writes = len(world.log)
            await operator.look()
            check(world, before)
            before = {it["type"]: it for it in world.status["conditions"]}
            if len(world.log) == writes:
                break
        else:
            raise AssertionError(f"it never settles: {world.log[-12:]}")
        world.store.set_kuberay(installed=True)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=SEQUENCES)
def test_whatever_happens_the_status_stays_truthful_and_the_world_settles(
    sequence: list[str], operator_of: Callable[..., Any], load_example: Callable[[str], Any]
) -> None:
    asyncio.run(live(operator_of(load_example("tiny-cpu")), sequence))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True),
    nodes=st.integers(1, 1024),
    example=st.sampled_from(["pointwise", "full", "tiny-cpu"]),
)
def test_planning_is_deterministic_and_names_fit(
    name: str,
    nodes: int,
    example: str,
    operator_of: Callable[..., Any],
    load_example: Callable[[str], Any],
) -> None:
    async def planned() -> Any:
        manifest = load_example(example)
        manifest["metadata"]["name"] = name
        manifest["spec"]["workers"]["nodes"] = nodes
        operator = operator_of(manifest)
        world = operator.world
        await operator.settle()
        world.prepare_succeeds()
        await operator.settle()
        world.cluster_becomes_ready()
        assert await operator.settle() == "Starting"
        check(world, {})
        return world.planned

    assert asyncio.run(planned()) == asyncio.run(planned())
