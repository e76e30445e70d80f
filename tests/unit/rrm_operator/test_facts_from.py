import json
from typing import Any

import pytest

from rrm_api import group
from rrm_api.run import Role
from rrm_operator.facts import Kind, PodRole
from rrm_operator.facts_from import (
    child_fact,
    claim_fact,
    job_fact,
    progress_fact,
    ray_cluster_fact,
    slim_training,
)
from rrm_operator.pod_facts import pod_fact

Manifest = dict[str, Any]


def pod(*, status: Manifest | None = None, labels: Manifest | None = None, owned: bool = True) -> Manifest:
    owner = {"kind": "RayCluster", "name": "judge-c1", "controller": True}
    return {
        "metadata": {
            "name": "judge-c1-head",
            "labels": labels if labels is not None else {"ray.io/node-type": "head"},
            "ownerReferences": [owner] if owned else [],
        },
        "spec": {"containers": [{"name": "ray-head"}, {"name": "sidecar"}]},
        "status": status or {},
    }


def test_a_new_pod_has_a_fact_although_it_has_no_status_yet() -> None:
    fact = pod_fact(pod())
    assert fact is not None
    assert (fact.role, fact.owner, fact.phase, fact.ready) == (PodRole.HEAD, "judge-c1", "Pending", False)


@pytest.mark.parametrize(
    ("labels", "role"),
    [
        pytest.param({"ray.io/node-type": "worker"}, PodRole.WORKER, id="a worker by KubeRay's label"),
        pytest.param({group.LABEL_ROLE: "prepare"}, PodRole.PREPARE, id="a Job's pod by ours"),
        pytest.param({group.LABEL_ROLE: "export"}, PodRole.EXPORT, id="an export pod by ours"),
    ],
)
def test_a_pods_role_comes_from_its_labels(labels: Manifest, role: PodRole) -> None:
    fact = pod_fact(pod(labels=labels))
    assert fact is not None
    assert fact.role is role


def test_a_pod_that_is_none_of_our_childrens_gives_no_fact() -> None:
    assert pod_fact(pod(labels={group.LABEL_TRAINING: "judge"})) is None
    assert pod_fact(pod(owned=False)) is None


@pytest.mark.parametrize(
    ("labels", "owner"),
    [
        pytest.param({"ray.io/node-type": "head", "ray.io/cluster": "judge-c1"}, "judge-c1", id="KubeRay"),
        pytest.param(
            {group.LABEL_ROLE: "prepare", "batch.kubernetes.io/job-name": "judge-prepare-1"},
            "judge-prepare-1",
            id="a Job's",
        ),
        pytest.param({group.LABEL_ROLE: "export", "job-name": "judge-export-1"}, "judge-export-1", id="old"),
    ],
)
def test_a_pod_that_was_orphaned_is_still_its_makers_until_it_ends(labels: Manifest, owner: str) -> None:
    for phase in ("Pending", "Running", "Unknown"):
        fact = pod_fact(pod(labels=labels, owned=False, status={"phase": phase}))
        assert fact is not None
        assert (fact.owner, fact.orphaned) == (owner, True)
    for phase in ("Succeeded", "Failed"):
        assert pod_fact(pod(labels=labels, owned=False, status={"phase": phase})) is None
    owned = pod_fact(pod(labels=labels))
    assert owned is not None
    assert (owned.owner, owned.orphaned) == ("judge-c1", False)


def test_a_pod_that_cannot_pull_its_image_says_so_in_its_own_words() -> None:
    waiting = {"reason": "ErrImagePull", "message": "no such host"}
    statuses = [
        {"name": "ray-head", "state": {"waiting": waiting}},
        {"name": "sidecar", "state": {"waiting": {"reason": "ContainerCreating"}}},
    ]
    fact = pod_fact(pod(status={"phase": "Pending", "containerStatuses": statuses}))
    assert fact is not None
    assert (fact.waiting_reason, fact.waiting_message) == ("ErrImagePull", "no such host")


def test_waiting_for_an_init_container_is_no_trouble_but_the_init_containers_own_is() -> None:
    normal = {"state": {"waiting": {"reason": "PodInitializing"}}, "name": "ray-head"}
    quiet = pod_fact(pod(status={"containerStatuses": [normal]}))
    crash = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "name": "wait-gcs-ready"}
    loud = pod_fact(pod(status={"containerStatuses": [normal], "initContainerStatuses": [crash]}))
    assert quiet is not None
    assert loud is not None
    assert (quiet.waiting_reason, loud.waiting_reason) == (None, "CrashLoopBackOff")


def test_the_exit_of_the_main_container_counts_not_a_sidecars() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled"}
    statuses = [
        {"name": "sidecar", "state": {"terminated": {"exitCode": 0}}, "restartCount": 1},
        {"name": "ray-head", "state": {"running": {}}, "lastState": {"terminated": ended}, "restartCount": 2},
    ]
    fact = pod_fact(pod(status={"phase": "Running", "containerStatuses": statuses}))
    assert fact is not None
    assert (fact.exit_code, fact.termination_reason, fact.restarts) == (137, "OOMKilled", 3)


def test_an_evicted_pod_keeps_the_kubelets_reason() -> None:
    fact = pod_fact(pod(status={"phase": "Failed", "reason": "Evicted", "message": "low on memory"}))
    assert fact is not None
    assert (fact.termination_reason, fact.termination_message) == ("Evicted", "low on memory")


def test_an_unschedulable_pod_carries_the_schedulers_words() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }
    fact = pod_fact(pod(status={"conditions": [condition]}))
    assert fact is not None
    assert fact.unschedulable == "0/3 nodes are available"


def ray_cluster(status: Manifest) -> Manifest:
    return {
        "metadata": {
            "name": "judge-c2",
            "uid": "u",
            "labels": {group.LABEL_ATTEMPT: "2"},
            "annotations": {group.ANNOTATION_DIGEST: "d"},
        },
        "spec": {"workerGroupSpecs": [{"replicas": 3}]},
        "status": status,
    }


def test_a_ray_cluster_is_judged_by_its_head_condition_and_counts_never_by_its_state() -> None:
    condition = {"type": "HeadPodReady", "status": "False", "reason": "HeadPodNotFound"}
    fact = ray_cluster_fact(
        ray_cluster({"state": "ready", "desiredWorkerReplicas": 3, "conditions": [condition]})
    )
    assert (fact.head_ready, fact.head_reason) == (False, "HeadPodNotFound")
    assert fact.ready_workers == 0
    assert (fact.attempt, fact.digest) == (2, "d")


def test_a_ray_cluster_without_a_status_has_nothing_ready() -> None:
    fact = ray_cluster_fact(ray_cluster({}))
    assert (fact.head_ready, fact.ready_workers, fact.provisioned) == (False, 0, False)
    assert fact.replica_failure is None


def test_a_ray_cluster_whose_pods_cannot_be_made_keeps_kuberays_words_in_one_line() -> None:
    words = "FailedCreateHeadPod\npods is forbidden: exceeded quota: team"
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreateHeadPod", "message": words}
    fact = ray_cluster_fact(ray_cluster({"conditions": [failure]}))
    assert fact.replica_failure == "FailedCreateHeadPod: pods is forbidden: exceeded quota: team"


def test_a_ready_ray_cluster_tells_where_its_head_is() -> None:
    status = {
        "readyWorkerReplicas": 3,
        "desiredWorkerReplicas": 3,
        "head": {"serviceName": "judge-c2-head-svc", "podIP": "10.0.0.7"},
        "conditions": [{"type": "HeadPodReady", "status": "True", "reason": "HeadPodRunningAndReady"}],
    }
    fact = ray_cluster_fact(ray_cluster(status))
    assert (fact.head_ready, fact.head_reason, fact.ready_workers) == (True, None, 3)
    assert (fact.head_service, fact.head_pod_ip) == ("judge-c2-head-svc", "10.0.0.7")


def test_a_job_is_finished_when_its_conditions_say_so() -> None:
    manifest = {
        "metadata": {"name": "judge-export", "uid": "u", "labels": {group.LABEL_ROLE: "export"}},
        "status": {"conditions": [{"type": "Failed", "status": "True", "message": "deadline"}]},
    }
    fact = job_fact(manifest)
    assert fact is not None
    assert (fact.role, fact.failed, fact.succeeded, fact.message) == (Role.EXPORT, True, False, "deadline")


def test_a_claim_tells_its_phase_and_size() -> None:
    manifest = {
        "metadata": {"name": "judge-checkpoints", "deletionTimestamp": "now"},
        "spec": {"resources": {"requests": {"storage": "5Gi"}}},
        "status": {"phase": "Bound"},
    }
    fact = claim_fact(manifest)
    assert (fact.phase, fact.requested, fact.deleting) == ("Bound", "5Gi", True)


def test_every_other_kind_keeps_existence_and_digest_only() -> None:
    manifest = {"metadata": {"name": "judge", "uid": "u"}, "rules": []}
    assert child_fact(Kind.ROLE, manifest).digest is None  # type: ignore[union-attr]


RECORD = {
    "role": "prepare",
    "inputDigest": "d",
    "result": "Done",
    "reason": "DataPrepared",
    "message": "254 rows",
    "exitCode": 0,
    "finishedTime": "2026-11-23T00:00:00Z",
}


def test_records_and_progress_are_parsed_and_unreadable_ones_named() -> None:
    data = {
        "prepare": json.dumps(RECORD),
        "train": "{broken",
        "progress": json.dumps({"attempt": 1, "phase": "Rollout", "step": 2, "totalSteps": 8, "time": "t"}),
        "else": "left alone",
    }
    fact = progress_fact({"metadata": {}, "data": data})
    assert fact.record(Role.PREPARE) is not None
    assert fact.progress is not None
    assert fact.progress.step == 2
    assert len(fact.unreadable) == 1
    assert fact.unreadable[0].startswith("train: ")


def test_a_record_of_an_unknown_shape_names_the_field_that_is_wrong() -> None:
    fact = progress_fact({"metadata": {}, "data": {"prepare": json.dumps({**RECORD, "exitCode": "many"})}})
    assert fact.records == ()
    assert fact.unreadable[0].startswith("prepare: exitCode: ")


def test_an_empty_progress_config_map_says_nothing() -> None:
    assert progress_fact({"metadata": {}}).unreadable == ()


def test_a_kept_training_has_no_managed_fields_and_no_last_applied_copy() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "yes"}
    manifest = {"metadata": {"name": "judge", "managedFields": [1], "annotations": annotations}, "spec": {}}
    assert slim_training(manifest) == {
        "metadata": {"name": "judge", "annotations": {"mine": "yes"}},
        "spec": {},
    }
    assert "managedFields" in manifest["metadata"]
