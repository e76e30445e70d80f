"""One object that is nested far too deep stops nobody else, and its owner is told what is wrong with it.

The API server takes JSON of 10,000 levels, and a pod template may hold anything.
"""

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rrm_api import group
from rrm_api.spec_pods import DEEPEST as DEEPEST_TEMPLATE
from rrm_api.spec_pods import PodTemplate
from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import RayJobState
from rrm_operator.nesting import LEVELS, read_json, shallow
from rrm_operator.ray_jobs import RayAnswer, job_fact
from tests.unit.rrm_operator.kube_of_text import Kube, told, written

DEEPEST = 10_000
"""Levels that the API server's JSON reader takes."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(levels: int) -> str:
    """Return the text of so many maps in one another; Python's own writer could not write them."""
    return '{"a":' * levels + "1" + "}" * levels


def levels_of(found: Any) -> int:
    """Return how deep an object is nested."""
    levels, here = 0, [found]
    while here := [it for one in here if isinstance(one, dict | list) for it in _inside(one)]:
        levels += 1
    return levels


def _inside(one: Any) -> list[Any]:
    return list(one.values()) if isinstance(one, dict) else one


@pytest.mark.parametrize("levels", [2, 900, 1100, DEEPEST])
@pytest.mark.parametrize("when", ["listed", "watched"])
async def test_kopf_tells_of_an_object_of_any_depth_and_of_all_others(when: str, levels: int) -> None:
    trainings = [written("first", "{}"), written("deep", nested(levels)), written("last", "{}")]
    kube = Kube(listed=trainings if when == "listed" else [], watched=trainings if when == "watched" else [])
    found = await told(kube, 3)
    assert len(kube.pages) == 1, "kopf has not been started anew"
    kept = levels_of(found["deep"])
    assert kept == levels + 3 if levels < LEVELS else LEVELS - 2 <= kept <= LEVELS
    assert threading.active_count() < 20


@pytest.mark.parametrize("levels", [DEEPEST_TEMPLATE + 1, 140, DEEPEST])
async def test_whoever_nests_a_pod_template_too_deep_is_told_so_and_may_correct_it(
    world: Any, operator: Any, levels: int
) -> None:
    for role in ("workers", "jobs"):
        world.edit(lambda spec, role=role: spec.setdefault(role, {}).update(podTemplate="DEEP"))
        text = json.dumps(world.training).replace('"DEEP"', nested(levels))
        world.store.feed(group.KIND, read_json(text))
        await operator.look()
        stalled = world.condition("Stalled")
        assert (stalled["status"], stalled["reason"]) == ("True", "InvalidSpec")
        assert f"spec.{role}.podTemplate: nested more than 64 levels deep" in stalled["message"]
        world.edit(lambda spec, role=role: spec[role].pop("podTemplate"))
        assert await operator.settle() == "Preparing"


def test_a_job_api_that_answers_without_end_is_no_job_api() -> None:
    """A head runs other people's code."""
    with pytest.raises(RayUnavailable):
        job_fact("a1", RayAnswer(200, f'{{"status": {nested(DEEPEST)}}}'), 0.0)
    found = job_fact("a1", RayAnswer(200, f'{{"status": "RUNNING", "metadata": {nested(DEEPEST)}}}'), 0.0)
    assert found.state is RayJobState.RUNNING


def test_a_pod_template_may_be_deeper_than_any_of_kubernetes() -> None:
    adapter = TypeAdapter(PodTemplate)
    deep = json.loads(nested(DEEPEST_TEMPLATE))
    assert adapter.validate_python(deep) == deep
    assert adapter.validate_python({"a": [[]] * 99}) == {"a": [[]] * 99}
    with pytest.raises(ValidationError, match="nested more than 64 levels deep"):
        adapter.validate_python({"a": deep})


@pytest.mark.parametrize("opening", ['{"a":', "[", '[{"a":'])
def test_json_of_any_depth_is_read_but_for_its_depths(opening: str) -> None:
    closing = opening.replace('"a":', "")[::-1].translate(str.maketrans("[{", "]}"))
    levels = DEEPEST // len(closing)
    found = read_json('{"first": 1, "deep": ' + opening * levels + closing * levels + ', "last": [2, {}]}')
    assert (found["first"], found["last"]) == (1, [2, {}])
    assert LEVELS - 2 <= levels_of(found) <= LEVELS


@given(JSON)
def test_json_that_is_not_deep_is_read_as_it_is(document: Any) -> None:
    assert read_json(json.dumps(document)) == document
    assert read_json(json.dumps(document, ensure_ascii=False).encode()) == document


@given(JSON, st.integers(0, 4))
def test_what_is_left_of_json_is_what_lies_above(document: Any, levels: int) -> None:
    def above(part: Any, levels: int) -> Any:
        if not isinstance(part, dict | list):
            return part
        if levels == 0:
            return None
        if isinstance(part, list):
            return [above(it, levels - 1) for it in part]
        return {key: above(it, levels - 1) for key, it in part.items()}

    assert json.loads(shallow(json.dumps(document).encode(), levels)) == above(document, levels)


@given(st.text(max_size=30) | st.text(alphabet='[]{}",:\\1 ', max_size=60).map(lambda it: "[" * 300 + it))
def test_what_is_no_json_is_a_value_error_and_nothing_else(text: str) -> None:
    try:
        read_json(text)
    except ValueError:
        return
    json.loads(text)


@pytest.mark.parametrize("text", ["[" * 3_000_000, '{"a":' * 500_000, '"' * 999_999, '["' + "\\" * 999_999])
def test_a_huge_text_is_refused_in_a_moment(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reader says
        read_json(text)
