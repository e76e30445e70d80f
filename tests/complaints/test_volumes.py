"""Group e: volumes, logs, schedulers and quota."""

import sys
from pathlib import Path
from typing import Any

import pytest

from rrm.train.attempt import Attempt
from rrm.train.config_map_watcher import NobodyWatches
from rrm.train.parent import run_child
from rrm_api.run import VOLUME_MOUNT
from rrm_operator.facts import Kind
from tests.complaints import lives, trainer
from tests.complaints.lives import CLUSTER


async def test_kuberay_59_the_claim_is_made_and_kept(operator: Any) -> None:
    """Users make the volume claim themselves; asked for since 2021."""
    await operator.settle()
    claim = lives.applied(operator.world, Kind.PERSISTENT_VOLUME_CLAIM)
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "ownerReferences" not in claim["metadata"], "it outlives the training"


async def test_kuberay_3421_each_worker_can_have_a_claim_of_its_own(operator_of: Any) -> None:
    """All workers share one pod template, so one claim for each is impossible."""
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Ti"}}}}
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    workers = {"nodes": 2, "podTemplate": {"spec": {"volumes": [scratch]}}}
    world = await lives.live_until_provisioning(operator_of("pointwise", workers=workers))
    assert scratch in lives.ray_pods(world)["worker"]["volumes"]


async def test_kuberay_3839_class_and_size_of_the_claim_are_fields(operator_of: Any) -> None:
    """There are no volume claim templates."""
    volume = {"size": "2Ti", "storageClassName": "fast", "accessModes": ["ReadWriteMany"]}
    operator = operator_of("pointwise", checkpoints={"volume": volume})
    await operator.settle()
    spec = lives.applied(operator.world, Kind.PERSISTENT_VOLUME_CLAIM)["spec"]
    assert spec["storageClassName"] == "fast"
    assert spec["resources"]["requests"]["storage"] == "2Ti"


async def test_kuberay_1753_every_pod_mounts_the_same_volume(operator: Any) -> None:
    """How head and workers share files is asked again and again."""
    world = await lives.live_until_provisioning(operator)
    prepare = lives.applied(world, Kind.JOB)["spec"]["template"]["spec"]
    for pod in (prepare, *lives.ray_pods(world).values()):
        claims = [it["persistentVolumeClaim"]["claimName"] for it in pod["volumes"] if it["name"] == "rrm"]
        assert claims == ["tiny-judge-checkpoints"]
        mounts = [it["mountPath"] for it in pod["containers"][0]["volumeMounts"] if it["name"] == "rrm"]
        assert mounts == [VOLUME_MOUNT]


async def test_codeflare_sdk_774_a_claim_that_exists_is_named(operator_of: Any) -> None:
    """The names of claims that exist cannot be passed."""
    volume = {"claimName": "team-share"}
    operator = operator_of("pointwise", checkpoints={"volume": volume})
    world = operator.world
    world.add_claim("team-share")
    await operator.settle()
    pod = lives.applied(world, Kind.JOB)["spec"]["template"]["spec"]
    (claim,) = (it["persistentVolumeClaim"] for it in pod["volumes"] if it["name"] == "rrm")
    assert claim["claimName"] == "team-share"
    assert world.named(Kind.PERSISTENT_VOLUME_CLAIM) in ([], ["team-share"])


def speaks(text: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import os, sys; sys.stdout.write({text!r}); sys.stdout.flush(); os._exit(3)",
    ]


def test_kuberay_1047_the_log_is_on_the_claim(attempt: Attempt) -> None:
    """The log goes with the head's restart, or with the worker that is scaled away."""
    run_child(attempt, speaks("step 1\nstep 2\n"), NobodyWatches())
    assert attempt.job_log.is_relative_to(attempt.volume)
    assert attempt.job_log.read_text() == "step 1\nstep 2\n"


def test_kuberay_1975_the_last_line_is_kept_though_it_has_no_end(attempt: Attempt) -> None:
    """The last lines are missing: they were still in a buffer when the process died."""
    ended = run_child(attempt, speaks("step 1\nit dies here"), NobodyWatches())
    assert ended.log_tail.endswith("it dies here")
    assert attempt.job_log.read_text().endswith("it dies here")


async def test_kuberay_1975_no_process_of_a_pod_buffers_its_lines(operator: Any) -> None:
    """Python keeps its lines for itself when nobody is at the screen."""
    world = await lives.live_until_provisioning(operator)
    prepare = lives.applied(world, Kind.JOB)["spec"]["template"]["spec"]
    for pod in (prepare, *lives.ray_pods(world).values()):
        assert {"name": "PYTHONUNBUFFERED", "value": "1"} in pod["containers"][0]["env"]


def test_kuberay_3884_each_attempt_keeps_its_own_log(attempt: Attempt, tmp_path: Path) -> None:
    """Logs are to be kept, or shipped, after the cluster is gone."""
    run_child(attempt, speaks("first\n"), NobodyWatches())
    second = trainer.attempt_on(tmp_path, number=2)
    run_child(second, speaks("second\n"), NobodyWatches())
    assert attempt.job_log.read_text() == "first\n"
    assert second.job_log.read_text() == "second\n"


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("Volcano", {"volcano.sh/queue-name": "research"}),
        ("YuniKorn", {"yunikorn.apache.org/queue": "research", "ray.io/gang-scheduling-enabled": "true"}),
    ],
    ids=["volcano", "yunikorn"],
)
async def test_kuberay_4066_all_pods_or_none_is_one_switch(
    operator_of: Any, scheduler: str, expected: dict[str, str]
) -> None:
    """The gang is not kept together: half a cluster holds its GPUs and waits for the rest."""
    scheduling = {"scheduler": scheduler, "queueName": "research"}
    world = await lives.live_until_provisioning(operator_of("pointwise", scheduling=scheduling))
    labels = lives.applied(world, Kind.RAY_CLUSTER)["metadata"]["labels"]
    assert expected.items() <= labels.items()


async def test_kuberay_5200_a_suspended_training_holds_no_quota(operator: Any) -> None:
    """Suspended, the PodGroup stays behind, and quota with it."""
    world = await lives.live_until_starting(operator)
    world.edit(lambda spec: spec.update(suspend=True))
    assert await lives.ended(operator) == "Suspended"
    assert world.named(Kind.RAY_CLUSTER) == []
    assert world.pods(CLUSTER) == []
    assert {kind for kind, _ in world.planned} <= {it.value for it in Kind}, "we make no PodGroup to leak"


async def test_kueue_1146_a_preempted_training_goes_on_when_there_is_quota(operator_of: Any) -> None:
    """A job that was pre-empted is never run again."""
    scheduling = {"scheduler": "Kueue", "queueName": "research"}
    operator = operator_of("tiny-cpu", scheduling=scheduling)
    world = await lives.live_until_training(operator, saved=2)
    world.suspend_cluster()
    await operator.settle()
    world.pods_leave()
    assert await operator.settle() == "Provisioning"
    assert world.condition("Ready")["reason"] == "QuotaPending"
    assert await lives.pass_time(operator, 5 * 86_400) == "Provisioning"
    world.admit_cluster()
    world.cluster_becomes_ready()
    assert await operator.settle() == "Starting"
    assert world.named(Kind.RAY_CLUSTER) == [CLUSTER]
    assert lives.ends(world)[0] == "Preempted"
    assert lives.attempt_of(world, 2).get("restarts", 0) == 0


async def test_kueue_15980_nothing_new_starts_while_old_pods_run(operator: Any) -> None:
    """Quota is given away while pods still run: the next one meets occupied GPUs."""
    world = await lives.live_until_training(operator)
    lives.dies(world, lives.HEAD, "NodeLost")
    await operator.settle()
    world.remove(Kind.RAY_CLUSTER, CLUSTER)
    assert await operator.settle() == "Releasing", "its worker is still there"
    world.pods_leave()
    await lives.next_attempt(operator, 2)


async def test_kueue_1149_waiting_for_quota_has_no_deadline_and_is_told(operator_of: Any) -> None:
    """Ray jobs and quota: sizes that do not fit, waits that look like hangs."""
    scheduling = {"scheduler": "Kueue", "queueName": "research"}
    operator = operator_of("pointwise", scheduling=scheduling)
    world = await lives.live_until_provisioning(operator)
    cluster = lives.applied(world, Kind.RAY_CLUSTER)
    assert cluster["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"
    assert len(cluster["spec"]["workerGroupSpecs"]) == 1, "with the head 2 pod sets; Kueue takes 8"
    world.suspend_cluster()
    assert await lives.pass_time(operator, 3 * 86_400) == "Provisioning"
    assert world.condition("Ready")["reason"] == "QuotaPending"


async def test_kuberay_5004_a_drain_meets_a_budget(operator: Any) -> None:
    """No disruption budget, no grace, no preStop: a node is drained in the middle of a step."""
    world = await lives.live_until_training(operator)
    (budget,) = (it for (kind, _), it in world.planned.items() if kind == Kind.POD_DISRUPTION_BUDGET)
    nodes = world.training["spec"]["workers"]["nodes"]
    assert budget["spec"]["minAvailable"] == nodes + 1
    chosen = budget["spec"]["selector"]["matchLabels"].items()
    template = lives.applied(world, Kind.RAY_CLUSTER)["spec"]["workerGroupSpecs"][0]["template"]
    labels = template["metadata"]["labels"] | {"ray.io/is-ray-node": "yes", "ray.io/cluster": CLUSTER}
    assert chosen <= labels.items()


async def test_kuberay_5004_a_pod_has_time_to_save(operator: Any) -> None:
    """The pod is killed with the default grace of 30 s."""
    world = await lives.live_until_provisioning(operator)
    grace = world.training["spec"]["checkpoints"].get("saveGraceSeconds", 600)
    for pod in lives.ray_pods(world).values():
        assert pod["terminationGracePeriodSeconds"] >= grace
        assert pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
