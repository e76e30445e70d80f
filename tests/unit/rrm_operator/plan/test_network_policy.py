"""The policy of a training: who may connect to its pods."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_api.v1alpha1 import parse_training
from rrm_operator.facts import Kind, PodRole
from rrm_operator.plan.names import labels
from rrm_operator.plan.network_policy import OPERATOR_LABELS, plan_network_policy
from rrm_operator.rights import RESOURCES
from rrm_operator.settings import RayReach, Settings

CHART = Path(__file__).parents[4] / "charts" / "rrm-operator"


@pytest.fixture
def planned(load_example: Callable[[str], Any], settings: Settings) -> Callable[..., Any]:
    def plan(**chosen: Any) -> Any:
        training = parse_training(load_example("pointwise"))
        return plan_network_policy(training, settings.model_copy(update=chosen))

    return plan


def test_pods_of_every_role_are_selected_and_may_talk_to_each_other_on_every_port(planned: Any) -> None:
    policy = planned()
    selector = policy["spec"]["podSelector"]
    for role in PodRole:
        assert selector["matchLabels"].items() <= labels("helpful-judge", role).items()
    among, _ = policy["spec"]["ingress"]
    assert among == {"from": [{"podSelector": selector}]}


def test_a_pod_of_another_training_is_not_selected(planned: Any) -> None:
    selector = planned()["spec"]["podSelector"]["matchLabels"]
    assert not selector.items() <= labels("other", PodRole.HEAD).items()


def test_from_outside_only_the_operator_reaches_one_port(planned: Any) -> None:
    _, outside = planned(operator_namespace="ml-platform")["spec"]["ingress"]
    assert outside["ports"] == [{"protocol": "TCP", "port": 8265}]
    # One entry: the namespace and the pod, not the one or the other.
    (operator,) = outside["from"]
    assert operator["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "ml-platform"}
    assert operator["podSelector"]["matchLabels"] == OPERATOR_LABELS


def test_the_operator_s_labels_are_those_that_the_chart_gives_its_pods() -> None:
    names = (CHART / "templates" / "_names.tpl").read_text()
    selector = names.split('define "rrm.selector"', 1)[1].split("{{- end }}", 1)[0]
    chosen = yaml.safe_load(
        "\n".join(line for line in selector.splitlines() if "{" not in line and "}" not in line)
    )
    assert chosen == OPERATOR_LABELS


def test_hubs_stores_and_the_api_server_stay_reachable(planned: Any) -> None:
    assert planned()["spec"]["policyTypes"] == ["Ingress"]
    assert "egress" not in planned()["spec"]


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param({"ray_reach": RayReach.PROXY}, id="through the API server"),
        pytest.param({"ray_reach": RayReach.POD_IP}, id="from a node"),
        pytest.param({"ray_url": "http://gateway/{cluster}"}, id="through a gateway"),
    ],
)
def test_where_the_asking_side_is_no_pod_the_job_api_is_open_to_who_has_the_token(
    planned: Any, chosen: dict[str, Any]
) -> None:
    among, outside = planned(**chosen)["spec"]["ingress"]
    assert outside == {"ports": [{"protocol": "TCP", "port": 8265}]}
    assert "ports" not in among


def test_it_goes_with_the_training_and_is_a_kind_the_operator_may_write(planned: Any) -> None:
    policy = planned()
    assert policy["metadata"]["name"] == "helpful-judge-network"
    assert policy["metadata"]["ownerReferences"][0]["name"] == "helpful-judge"
    resource = RESOURCES[Kind(policy["kind"])]
    assert policy["apiVersion"] == f"{resource.group}/{resource.version}"
