"""The chart grants exactly the rights that the code asks for: names both sides, fails on any difference."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_operator import rights
from rrm_operator.rights import FINALIZERS, LEASE, RESOURCES, SERVICE_PROXY, STATUS, Resource

RULES = Path(__file__).parents[2] / "charts/rrm-operator/files/rules.yaml"
Right = tuple[str, str, str]


def rules() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(RULES.read_text())
    return found


def granted(listed: list[dict[str, Any]]) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in listed
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(*resources: Resource) -> set[Right]:
    return {(it.group, it.plural, verb.value) for it in resources for verb in it.verbs}


def differences(listed: list[dict[str, Any]], *resources: Resource) -> list[str]:
    """Return one line for each right that only one side has."""
    chart, code = granted(listed), used(*resources)
    return [
        *(f"{RULES.name} lacks {right}, which {rights.__name__} asks for" for right in sorted(code - chart)),
        *(f"{RULES.name} grants {right}, which no code asks for" for right in sorted(chart - code)),
    ]


def test_the_chart_grants_exactly_the_rights_that_the_code_asks_for() -> None:
    assert differences(rules()["namespaced"], *RESOURCES.values(), STATUS, FINALIZERS) == []


def test_the_proxy_right_is_kept_apart() -> None:
    assert differences(rules()["proxy"], SERVICE_PROXY) == []


def test_the_lease_is_in_reach_in_the_own_namespace_alone() -> None:
    assert differences(rules()["own"], LEASE) == []
    everywhere = rules()["cluster"] + rules()["namespaced"]
    assert not [right for right in granted(everywhere) if right[0] == LEASE.group]


def test_nothing_is_granted_everywhere_and_no_wildcards_are_used() -> None:
    assert rules()["cluster"] == []
    assert not [right for right in granted(rules()["namespaced"]) if "*" in right]


def test_no_secret_is_ever_read_and_nodes_and_exec_are_out_of_reach() -> None:
    rights_ = granted(rules()["namespaced"])
    assert {verb for _, resource, verb in rights_ if resource == "secrets"} == {"create"}
    assert not {resource for _, resource, _ in rights_} & {"nodes", "pods/exec", "namespaces"}


@pytest.mark.parametrize("right", sorted(granted(rules()["namespaced"])), ids="-".join)
def test_this_contract_fails_when_any_one_verb_is_removed(right: Right) -> None:
    thinner = [
        {**rule, "verbs": [verb for verb in rule["verbs"] if (group, resource, verb) != right]}
        for rule in rules()["namespaced"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for rule in [{**rule, "apiGroups": [group], "resources": [resource]}]
    ]
    missing = differences(thinner, *RESOURCES.values(), STATUS, FINALIZERS)
    assert missing == [f"{RULES.name} lacks {right}, which {rights.__name__} asks for"]


def test_this_contract_fails_when_a_verb_is_added() -> None:
    wider = [*rules()["namespaced"], {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    extra = differences(wider, *RESOURCES.values(), STATUS, FINALIZERS)
    assert extra == [f"{RULES.name} grants ('', 'secrets', 'list'), which no code asks for"]
