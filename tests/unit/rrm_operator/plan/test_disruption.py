"""Drains: a budget that no Ray pod may be taken from, or none."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.v1alpha1 import parse_training
from rrm_operator.facts import Kind, PodRole
from rrm_operator.plan.disruption import disruption_annotations, plan_disruption_budget
from rrm_operator.plan.names import labels
from rrm_operator.rights import RESOURCES

Make = Callable[..., Any]


@pytest.fixture
def training_of(load_example: Callable[[str], Any]) -> Make:
    def make(*, nodes: int = 2, on_drain: str = "Block") -> Any:
        manifest = load_example("pointwise")
        manifest["spec"]["workers"]["nodes"] = nodes
        manifest["spec"]["policy"] = {"onDrain": on_drain}
        return parse_training(manifest)

    return make


@pytest.mark.parametrize("nodes", [1, 2, 128])
def test_not_one_of_the_workers_nor_the_head_may_be_evicted(training_of: Make, nodes: int) -> None:
    budget = plan_disruption_budget(training_of(nodes=nodes))
    assert budget is not None
    assert budget["spec"]["minAvailable"] == nodes + 1
    # Not left out: set by hand, it would stay, and the API server refuses both.
    assert budget["spec"]["maxUnavailable"] is None


def test_a_pod_that_is_not_ready_never_holds_up_the_drain_of_a_broken_node(training_of: Make) -> None:
    budget = plan_disruption_budget(training_of())
    assert budget is not None
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_it_counts_ray_pods_alone(training_of: Make) -> None:
    budget = plan_disruption_budget(training_of())
    assert budget is not None
    selector = budget["spec"]["selector"]
    (expression,) = selector["matchExpressions"]
    assert expression["operator"] == "In"

    def selected(training: str, role: PodRole) -> bool:
        found = labels(training, role)
        return (
            selector["matchLabels"].items() <= found.items()
            and found[expression["key"]] in expression["values"]
        )

    roles = {role for role in PodRole if selected("helpful-judge", role)}
    assert roles == {PodRole.HEAD, PodRole.WORKER}
    assert not any(selected("other", role) for role in PodRole)


def test_autoscalers_are_told_on_the_pods(training_of: Make) -> None:
    assert disruption_annotations(training_of().spec) == {
        "karpenter.sh/do-not-disrupt": "true",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }


def test_where_a_drain_shall_save_nothing_stands_in_its_way(training_of: Make) -> None:
    training = training_of(on_drain="Save")
    assert plan_disruption_budget(training) is None
    assert disruption_annotations(training.spec) == {}


def test_it_goes_with_the_training_and_is_a_kind_the_operator_may_write(training_of: Make) -> None:
    budget = plan_disruption_budget(training_of())
    assert budget is not None
    assert budget["metadata"]["name"] == "helpful-judge-ray"
    assert budget["metadata"]["ownerReferences"][0]["controller"] is True
    resource = RESOURCES[Kind(budget["kind"])]
    assert budget["apiVersion"] == f"{resource.group}/{resource.version}"
