"""Faults of pod templates are named with their path, before anything is planned from them."""

from typing import Any

import pytest

from rrm_operator.assess.checks import pod_template_faults

PATH = "spec.head.podTemplate"
FAULTS: list[tuple[Any, str]] = [
    ([], "spec.head.podTemplate is a list; a mapping is required"),
    ({"containers": []}, "spec.head.podTemplate.containers is unknown; a pod template has metadata and spec"),
    ({"metadata": "x"}, "spec.head.podTemplate.metadata is a string; a mapping is required"),
    (
        {"metadata": {"name": "x"}},
        "spec.head.podTemplate.metadata.name is unknown; labels and annotations may be added",
    ),
    (
        {"metadata": {"labels": ["x"]}},
        "spec.head.podTemplate.metadata.labels is a list; a mapping is required",
    ),
    ({"spec": 7}, "spec.head.podTemplate.spec is 7; a mapping is required"),
    (
        {"spec": {"volumes": {"name": "x"}}},
        "spec.head.podTemplate.spec.volumes is a mapping; a list is required",
    ),
    (
        {"spec": {"containers": ["trainer"]}},
        "spec.head.podTemplate.spec.containers[0] is a string; a mapping is required",
    ),
    (
        {"spec": {"containers": [{"name": "trainer"}, {"image": "x"}]}},
        "spec.head.podTemplate.spec.containers[1].name is required: entries are merged by it",
    ),
    (
        {"spec": {"containers": [{"name": "trainer", "env": {"A": "1"}}]}},
        "spec.head.podTemplate.spec.containers[0].env is a mapping; a list is required",
    ),
    (
        {"spec": {"initContainers": [{"name": "x", "volumeMounts": [{"name": "v"}]}]}},
        "spec.head.podTemplate.spec.initContainers[0].volumeMounts[0].mountPath is required: "
        "entries are merged by it",
    ),
]


@pytest.mark.parametrize(("template", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_a_fault_is_named_with_its_path(template: Any, words: str) -> None:
    assert list(pod_template_faults(PATH, template)) == [words]


@pytest.mark.parametrize(
    "template",
    [
        {},
        {"metadata": None, "spec": None},
        {"spec": {"containers": None, "hostNetwork": True}},
        {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "trainer", "env": []}]}},
    ],
)
def test_a_template_that_can_be_merged_has_no_fault(template: Any) -> None:
    assert list(pod_template_faults(PATH, template)) == []
