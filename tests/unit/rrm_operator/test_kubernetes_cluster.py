import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from rrm_operator.api_server import Answer, Request, error_of
from rrm_operator.errors import ClusterUnavailable, Conflict, Forbidden, OperatorError, Refused
from rrm_operator.facts import Key, Kind
from rrm_operator.kubernetes_cluster import KubernetesCluster, event_manifest, granted
from rrm_operator.ports import Event, Ref
from rrm_operator.rights import RESOURCES, Verb

REQUEST = Request("POST", "/api/v1/namespaces/demo/configmaps")
JOB: dict[str, Any] = {"kind": "Job", "metadata": {"namespace": "demo", "name": "judge-prepare"}}


class ScriptedServer:
    """Answers in order and remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.pop(0)

    async def ask(self, request: Request) -> dict[str, Any]:
        answer = await self.send(request)
        if answer.status < 300:
            return answer.json()
        raise error_of(request, answer)


def answering(*answers: tuple[int, Any]) -> tuple[KubernetesCluster, list[Request]]:
    server = ScriptedServer(*(Answer(status, json.dumps(body)) for status, body in answers))
    return KubernetesCluster(server), server.asked  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, Conflict),
        (409, Conflict),
        (400, Refused),
        (422, Refused),
        (403, Forbidden),
        (401, ClusterUnavailable),
    ]
    + [(code, ClusterUnavailable) for code in (429, 500, 503, 504)],
)
def test_every_bad_answer_is_the_error_of_the_boundary_it_names(
    status: int, error: type[OperatorError]
) -> None:
    found = error_of(REQUEST, Answer(status, json.dumps({"kind": "Status", "message": "why"})))
    assert type(found) is error
    assert "why" in str(found)
    assert REQUEST.path in str(found)


def test_a_terminating_namespace_is_told_from_a_missing_right() -> None:
    details = {"causes": [{"reason": "NamespaceTerminating"}]}
    gone = error_of(REQUEST, Answer(403, json.dumps({"details": details})))
    right = error_of(REQUEST, Answer(403, json.dumps({"message": "cannot create"})))
    assert isinstance(gone, Forbidden)
    assert isinstance(right, Forbidden)
    assert (gone.terminating, right.terminating) == (True, False)


def test_an_answer_that_is_no_json_is_still_explained() -> None:
    assert "<html>" in str(error_of(REQUEST, Answer(502, "<html>")))
    with pytest.raises(ClusterUnavailable):
        Answer(200, "<html>").json()


async def test_an_object_that_exists_counts_as_created() -> None:
    cluster, asked = answering((409, {"reason": "AlreadyExists"}))
    await cluster.create(JOB)
    assert (asked[0].method, asked[0].path) == ("POST", "/apis/batch/v1/namespaces/demo/jobs")


async def test_an_object_that_is_gone_counts_as_deleted_and_a_namesake_is_spared() -> None:
    cluster, asked = answering((404, {}), (409, {}))
    ref = Ref(Kind.RAY_CLUSTER, "demo", "judge-c1", uid="u1")
    await cluster.delete(ref)
    await cluster.delete(ref)
    assert asked[0].body == {"propagationPolicy": "Background", "preconditions": {"uid": "u1"}}


async def test_an_event_waits_for_nobody_and_a_refused_one_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster, asked = answering((403, {"message": "quota"}), (201, {}))
    training = {"metadata": {"namespace": "demo", "name": "judge", "uid": "u"}}
    await cluster.emit(training, Event("Normal", "Preparing", "first"))
    await cluster.emit(training, Event("Normal", "Training", "second"))
    assert asked == []
    posting = asyncio.create_task(cluster.post_events())
    await cluster.events_posted(10)
    posting.cancel()
    assert [it.body["reason"] for it in asked if it.body] == ["Preparing", "Training"]
    assert "quota" in caplog.text


async def test_a_counted_status_carries_the_version_it_was_decided_on() -> None:
    cluster, asked = answering((200, {}), (200, {}))
    await cluster.patch_status(Key("demo", "judge"), {"attempt": 1}, resource_version="7")
    await cluster.patch_status(Key("demo", "judge"), {"attempt": 1}, resource_version=None)
    assert asked[0].path.endswith("/namespaces/demo/rewardmodeltrainings/judge/status")
    assert asked[0].body == {"status": {"attempt": 1}, "metadata": {"resourceVersion": "7"}}
    assert asked[1].body == {"status": {"attempt": 1}}


async def test_names_are_listed_page_by_page_without_bodies() -> None:
    following_page = "next" * 100

    def page(name: str, following: str) -> tuple[int, Any]:
        item = {"metadata": {"namespace": "demo", "name": name, "uid": name}}
        return 200, {"metadata": {"continue": following}, "items": [item]}

    cluster, asked = answering(page("a", following_page), page("b", ""))
    assert [it.name for it in await cluster.list_identities(Kind.POD, None)] == ["a", "b"]
    assert asked[0].path == "/api/v1/pods"
    assert "PartialObjectMetadataList" in asked[0].headers["Accept"]
    assert ("continue", following_page) in asked[1].query


async def test_a_kind_that_the_api_server_does_not_know_is_not_served() -> None:
    cluster, _ = answering(
        (404, {}), (200, {"resources": []}), (200, {"resources": [{"name": "rayclusters"}]})
    )
    kind = RESOURCES[Kind.RAY_CLUSTER]
    assert [await cluster.serves(kind) for _ in range(3)] == [False, False, True]


async def test_a_discovery_that_is_refused_is_asked_again_as_rights_are_loaded_late() -> None:
    cluster, _ = answering((403, {"message": "RBAC: clusterrole not found"}))
    with pytest.raises(ClusterUnavailable, match="clusterrole not found"):
        await cluster.serves(RESOURCES[Kind.RAY_CLUSTER])


async def test_a_kind_that_has_just_vanished_may_not_be_listed() -> None:
    cluster, _ = answering((404, {}))
    assert not await cluster.may_list(Kind.RAY_CLUSTER, None)


async def test_a_verb_that_the_chart_does_not_grant_is_never_sent() -> None:
    cluster, asked = answering()
    with pytest.raises(PermissionError, match=r"patch on jobs to be in .*rights\.py"):
        await cluster.apply(JOB)
    assert asked == []
    assert granted(Kind.JOB, Verb.CREATE).plural == "jobs"


def test_an_event_points_at_its_training_and_fits() -> None:
    training = {"metadata": {"namespace": "demo", "name": "judge", "uid": "u", "resourceVersion": "7"}}
    event = Event("Warning", "TrainingFailed", "x" * 5000)
    manifest = event_manifest(training, event, now=datetime(2026, 1, 2, tzinfo=UTC), unique="1")
    assert manifest["involvedObject"]["uid"] == "u"
    assert manifest["reason"] == "TrainingFailed"
    assert len(manifest["message"]) == 1024


def test_the_typed_models_are_never_imported() -> None:
    """They would cost 100 MB; the three that an informer of the distribution names are all there may be."""
    script = (
        "import sys, rrm_operator.api_server, rrm_operator.kubernetes_cluster, rrm_operator.watching\n"
        "print(sum('.client.models.' in name or '.client.api.' in name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3


async def test_a_ray_cluster_is_read_anew_with_the_rights_there_are() -> None:
    manifest = {"metadata": {"name": "judge-c1", "uid": "u1"}, "spec": {"suspend": True}}
    cluster, asked = answering((200, {"items": [manifest]}), (200, {"items": []}))
    found = await cluster.get_ray_cluster("demo", "judge-c1")
    assert found is not None
    assert (found.name, found.uid, found.suspended) == ("judge-c1", "u1", True)
    assert asked[0].path == "/apis/ray.io/v1/namespaces/demo/rayclusters"
    assert list(asked[0].query) == [("fieldSelector", "metadata.name=judge-c1")]
    assert Verb.GET not in RESOURCES[Kind.RAY_CLUSTER].verbs, "a list of one name needs no right more"
    assert await cluster.get_ray_cluster("demo", "judge-c1") is None
