"""Queue, priority and topology: what each scheduler is told, and where.

What KubeRay reads of it was looked up in `controllers/ray/batchscheduler` of KubeRay 1.6.2.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.v1alpha1 import RewardModelTrainingSpec, parse_training
from rrm_operator.facts import PodRole
from rrm_operator.plan.names import cluster_name, labels
from rrm_operator.plan.scheduling import cluster_labels, with_scheduling

Make = Callable[..., RewardModelTrainingSpec]
RACK = "topology.example.com/rack"
CLUSTER = "helpful-judge-c1"
OURS = {
    "training.rrm.dev/training": "helpful-judge",
    "training.rrm.dev/role": "worker",
}


@pytest.fixture
def spec_of(load_example: Callable[[str], Any]) -> Make:
    def make(**scheduling: Any) -> RewardModelTrainingSpec:
        manifest = load_example("pointwise")
        manifest["spec"]["scheduling"] = scheduling
        return parse_training(manifest).spec

    return make


def template(role: PodRole = PodRole.WORKER, **spec: Any) -> Any:
    return {"metadata": {"labels": labels("helpful-judge", role)}, "spec": {"containers": [], **spec}}


def test_without_a_choice_nothing_is_added(spec_of: Make) -> None:
    assert cluster_labels(spec_of(), CLUSTER) == {}
    for role in (PodRole.HEAD, PodRole.WORKER):
        assert with_scheduling(template(role), spec_of(), role) == template(role)


def test_kueue_finds_queue_and_workload_priority_on_the_raycluster(spec_of: Make) -> None:
    spec = spec_of(scheduler="Kueue", queueName="team-a", workloadPriorityClass="research")
    assert cluster_labels(spec, CLUSTER) == {
        "kueue.x-k8s.io/queue-name": "team-a",
        "kueue.x-k8s.io/priority-class": "research",
    }


def test_volcano_gets_queue_and_priority_of_the_pod_group(spec_of: Make) -> None:
    spec = spec_of(scheduler="Volcano", queueName="team-a", priorityClassName="high")
    assert cluster_labels(spec, CLUSTER) == {
        "volcano.sh/queue-name": "team-a",
        "ray.io/priority-class-name": "high",
    }
    assert cluster_labels(spec_of(scheduler="Volcano"), CLUSTER) == {}


def test_yunikorn_gets_an_application_of_its_own_per_raycluster_and_places_it_whole(spec_of: Make) -> None:
    spec = spec_of(scheduler="YuniKorn", queueName="root.team-a")
    assert cluster_labels(spec, CLUSTER) == {
        "yunikorn.apache.org/app-id": CLUSTER,
        "yunikorn.apache.org/queue": "root.team-a",
        "ray.io/gang-scheduling-enabled": "true",
    }
    assert "yunikorn.apache.org/queue" not in cluster_labels(spec_of(scheduler="YuniKorn"), CLUSTER)


@pytest.mark.parametrize("scheduler", ["Default", "Kueue", "Volcano", "YuniKorn"])
@pytest.mark.parametrize("role", [PodRole.HEAD, PodRole.WORKER])
def test_ray_pods_of_every_scheduler_have_the_priority_class(
    spec_of: Make, scheduler: str, role: PodRole
) -> None:
    queue = {} if scheduler == "Default" else {"queueName": "q"}
    spec = spec_of(scheduler=scheduler, priorityClassName="high", **queue)
    assert with_scheduling(template(role), spec, role)["spec"]["priorityClassName"] == "high"


def test_a_priority_class_of_the_pod_template_stays(spec_of: Make) -> None:
    found = with_scheduling(
        template(priorityClassName="own"), spec_of(priorityClassName="high"), PodRole.WORKER
    )
    assert found["spec"]["priorityClassName"] == "own"


@pytest.mark.parametrize("kind", ["required", "preferred"])
def test_kueue_places_the_workers_by_their_annotation_and_no_affinity_is_in_its_way(
    spec_of: Make, kind: str
) -> None:
    spec = spec_of(scheduler="Kueue", queueName="team-a", topology={kind: RACK})
    found = with_scheduling(template(), spec, PodRole.WORKER)
    assert found["metadata"]["annotations"] == {f"kueue.x-k8s.io/podset-{kind}-topology": RACK}
    assert "affinity" not in found["spec"]
    head = with_scheduling(template(PodRole.HEAD), spec, PodRole.HEAD)
    assert head == template(PodRole.HEAD)


@pytest.mark.parametrize("scheduler", ["Default", "Volcano"])
def test_others_keep_the_workers_of_a_training_together_by_affinity(spec_of: Make, scheduler: str) -> None:
    spec = spec_of(scheduler=scheduler, topology={"required": RACK})
    found = with_scheduling(template(), spec, PodRole.WORKER)
    (term,) = found["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term == {"labelSelector": {"matchLabels": OURS}, "topologyKey": RACK}
    # The scheduler places the first one only since it matches its own term.
    assert OURS.items() <= found["metadata"]["labels"].items()
    assert not OURS.items() <= labels("helpful-judge", PodRole.HEAD).items()


def test_a_preferred_topology_only_weighs(spec_of: Make) -> None:
    found = with_scheduling(template(), spec_of(topology={"preferred": RACK}), PodRole.WORKER)
    (term,) = found["spec"]["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["weight"] == 100
    assert term["podAffinityTerm"]["topologyKey"] == RACK


def test_terms_of_the_pod_template_are_kept_beside_ours(spec_of: Make) -> None:
    own = {"labelSelector": {"matchLabels": {"app": "cache"}}, "topologyKey": "kubernetes.io/hostname"}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = {"podAffinity": {required: [own]}, "nodeAffinity": {"kept": True}}
    before = template(affinity=affinity)
    untouched = copy.deepcopy(before)
    found = with_scheduling(before, spec_of(topology={"required": RACK}), PodRole.WORKER)
    terms = found["spec"]["affinity"]["podAffinity"][required]
    assert terms[0] == own
    assert terms[1]["topologyKey"] == RACK
    assert found["spec"]["affinity"]["nodeAffinity"] == {"kept": True}
    assert before == untouched


def test_the_longest_name_of_a_raycluster_is_one_that_kuberay_takes() -> None:
    # KubeRay refuses more than 53 characters; 40 are a training's most, and the attempts' number has a bound.
    assert len(cluster_name("a" * 40, 99_999)) <= 53
