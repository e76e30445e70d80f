"""What people do to a training, and all acts that a life is made of; `n` chooses among variants."""

from collections.abc import Callable, Mapping
from typing import Final

from rrm_api import group
from rrm_operator.facts import Kind, Manifest

from . import mishaps
from .api_server import merged
from .world import World, training

Act = Callable[[World, int], object]
CHILDREN: Final = tuple(kind for kind in Kind if kind is not Kind.POD)
SPECS: Final[tuple[Manifest, ...]] = (
    {"training": {"learningRate": "1e-5"}},
    {"workers": {"nodeSelector": {"pool": "gpu"}}},
    {"jobs": {"podTemplate": {"spec": {"priority": 5}}}},
    {"jobs": {"podTemplate": {"spec": 7}}},
    {"jobs": {"podTemplate": None}},
    {"image": "registry.example.com/other:2"},
    {"image": None},
    {"export": {"enabled": False}},
    {"checkpoints": {"volume": {"size": "64Gi"}}},
    {"policy": {"maxRestarts": 0}},
    {"policy": {"maxRestarts": 4}},
    {"policy": {"activeDeadlineSeconds": 60}},
    {"policy": {"activeDeadlineSeconds": 100_000}},
    {"policy": {"stallDeadlineSeconds": 20}},
    {"policy": {"ttlSecondsAfterFinished": 30}},
    {"policy": {"onDrain": "Save"}},
    {"checkpoints": {"saveGraceSeconds": 0}},
    {"env": [{"name": "A", "value": "b"}]},
    {"scheduling": {"scheduler": "Kueue", "queueName": "team"}},
    {"workers": {"podTemplate": {"metadata": {"labels": {"a": "b"}}}}},
)
"""Edits that the API server lets in at any time."""
IDENTITIES: Final[tuple[Manifest, ...]] = (
    {"reward": {"exponential": {"k": "3"}}},
    {"data": {"seed": 2}},
    {"workers": {"nodes": 2}},
)
"""Edits that it lets in only before the first checkpoint."""


def edit(world: World, patch: Manifest) -> None:
    """Change the spec as a person does: the generation counts."""
    live = world.live()
    if live is None:
        return
    spec = merged(live["spec"], patch)
    if spec != live["spec"]:
        world.timeline.tell(f"somebody edits {patch}")
        metadata = {**live["metadata"], "generation": live["metadata"]["generation"] + 1}
        world.api.put({**live, "metadata": metadata, "spec": spec})


def edit_identity(world: World, n: int) -> None:
    checkpoints = ((world.live() or {}).get("status") or {}).get("checkpoints") or {}
    if "latestStep" not in checkpoints:
        edit(world, IDENTITIES[n % len(IDENTITIES)])


def retry(world: World, n: int) -> None:
    world.timeline.tell("somebody asks to retry")
    value = f"{world.timeline.now:.0f}"
    world.api.change(group.KIND, "judge", {"metadata": {"annotations": {group.ANNOTATION_RETRY: value}}})


def recreate(world: World, n: int) -> None:
    """Delete the training, and make it again: at once, after a while, or only when all children are gone."""
    world.timeline.tell("somebody deletes the training")
    world.api.delete(group.KIND, "judge")
    world.timeline.after((0.0, 0.5, 2.0, 30.0)[n % 4], lambda: _create_again(world))


def _create_again(world: World) -> None:
    if world.live() is None:
        world.create(training())


def delete_child(world: World, n: int) -> None:
    kind = CHILDREN[n % len(CHILDREN)]
    for name in world.api.named(kind)[:1]:
        world.timeline.tell(f"somebody deletes {kind} {name}")
        world.api.delete(kind, name)
        if kind is Kind.PERSISTENT_VOLUME_CLAIM:
            world.ray.volumes.pop("judge", None)


def suspends(*, on: bool) -> Act:
    return lambda world, n: edit(world, {"suspend": True if on else None})


ACTS: Final[Mapping[str, Act]] = {
    "edit": lambda world, n: edit(world, SPECS[n % len(SPECS)]),
    "edit identity": edit_identity,
    "suspend": suspends(on=True),
    "resume": suspends(on=False),
    "retry": retry,
    "recreate": recreate,
    "delete child": delete_child,
    "delete pod": mishaps.delete_pod,
    "lose node": mishaps.node_is_lost,
    "evict": mishaps.evict,
    "drain": mishaps.drain,
    "restart container": mishaps.restart_container,
    "crash": mishaps.crash,
    "infrastructure crash": mishaps.infrastructure,
    "hang": mishaps.hang,
    "ignore stop": mishaps.ignore_stop,
    "unhealthy": mishaps.unhealthy,
    "stop job": mishaps.somebody_stops_the_job,
    "fail job": mishaps.job_fails,
    "preempt": mishaps.preempt,
    "preempt unseen": mishaps.preempt_unseen,
    "fault": mishaps.fault,
    "two faults": mishaps.two_faults,
    "API server away": mishaps.api_server_is_away,
    "Ray away": mishaps.ray_is_away,
    "watch lags": mishaps.watch_lags,
    "watch breaks": mishaps.watch_breaks,
    "clock": mishaps.clock_jumps,
    "trainer clock": mishaps.trainer_clock,
    "no room": mishaps.no_room,
    "no image": mishaps.no_image,
    "no volume": mishaps.no_volume,
    "hang Job": mishaps.job_hangs,
    "KubeRay away": mishaps.kuberay_goes,
    "operator dies": lambda world, n: world.operator.die("killed"),
    "time": lambda world, n: None,
}
