"""Who may do and see what, with a real API server, its Job controller and scheduler, and real KubeRay."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.fake_pods import finished_status

pytestmark = pytest.mark.fakenodes
KEY = b"a key that only tests have"
"""What the operator process of tests is given."""
KINDS = (
    "rmt,rayclusters,jobs,pods,configmaps,events,serviceaccounts,roles,rolebindings,"
    "persistentvolumeclaims,networkpolicies,poddisruptionbudgets,services"
)
"""All that is written into a namespace but Secrets."""
RESTRICTED = (
    "pod-security.kubernetes.io/enforce=restricted",
    "pod-security.kubernetes.io/enforce-version=latest",
)
PRIORITY = "rrm-e2e-security"


@pytest.fixture
def restricted(world: Any) -> Any:
    """A namespace whose API server lets no other pods in than restricted ones."""
    world.cluster.kubectl("label", "namespace", world.namespace, *RESTRICTED)
    return world


@pytest.fixture
def priority_class(world: Any) -> Iterator[str]:
    """A priority class, which is nobody's namespace's."""
    world.cluster.apply(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": PRIORITY},
            "value": 1000,
        }
    )
    yield PRIORITY
    world.cluster.kubectl("delete", "priorityclass", PRIORITY)


def pods_by_role(world: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for pod in world.all("pod"):
        found.setdefault(pod["metadata"]["labels"]["training.rrm.dev/role"], []).append(pod)
    return found


def to_starting(world: Any, manifest: Any, **spec: Any) -> Any:
    judge = world.apply(manifest("judge", **spec))
    judge.prepared()
    world.stage("judge", "Starting", seconds=120)
    return judge


def evict(world: Any, pod: str) -> str | None:
    """Ask for an eviction as `kubectl drain` does; return the refusal."""
    path = f"/api/v1/namespaces/{world.namespace}/pods/{pod}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": world.namespace},
    }
    try:
        world.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
    except CommandFailed as refused:
        return refused.stderr
    return None


def test_the_pods_of_a_whole_life_are_let_into_a_restricted_namespace(restricted: Any, manifest: Any) -> None:
    world = restricted
    bad = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad", "namespace": world.namespace}}
    with pytest.raises(CommandFailed, match="violates PodSecurity"):
        world.cluster.apply({**bad, "spec": {"containers": [{"name": "main", "image": "x"}]}})

    judge = world.apply(manifest("judge"))
    seen = world.until("the prepare pod", lambda: pods_by_role(world).get("prepare"))
    judge.prepared()
    world.stage("judge", "Starting", seconds=120)
    pods = pods_by_role(world)
    assert (len(seen), len(pods["head"]), len(pods["worker"])) == (1, 1, 2)
    for worker in pods["worker"]:
        (injected,) = worker["spec"]["initContainers"]
        assert injected["name"] == "wait-gcs-ready"
        assert injected["securityContext"]["capabilities"] == {"drop": ["ALL"]}

    judge.trained()
    world.until("the export pod", lambda: pods_by_role(world).get("export"), seconds=120)


def test_key_and_token_are_in_no_object_but_the_token_s_secret(world: Any, manifest: Any) -> None:
    judge = to_starting(world, manifest)
    world.until("a submission", lambda: world.ray.submitted, seconds=120)
    judge.progress(1, step=3)
    world.stage("judge", "Training")
    uid = world.get("rmt", "judge")["metadata"]["uid"]
    token = hmac.new(KEY, uid.encode(), hashlib.sha256).hexdigest()

    (secret,) = world.all("secret")
    assert secret["metadata"]["name"] == "judge-c1-k1"
    assert base64.b64decode(secret["data"]["auth_token"]).decode() == token

    where = ("--namespace", world.namespace, "-o", "json", "--show-managed-fields")
    written = {
        "objects": world.cluster.kubectl("get", KINDS, *where),
        "the operator's log": world.operator.log.read_text(),
        "what Ray was given": repr(world.ray.submitted),
    }
    assert '"kind": "RayCluster"' in written["objects"]
    assert '"kind": "Event"' in written["objects"]
    for name, text in written.items():
        for hidden in (KEY.decode(), token, *(base64.b64encode(it).decode() for it in (KEY, token.encode()))):
            assert hidden not in text, f"in {name}"


def test_the_operator_makes_secrets_and_reads_none(world: Any, manifest: Any) -> None:
    to_starting(world, manifest)
    asked = [it for it in world.operator.asked() if it.resource.startswith("secrets")]
    assert {it.verb for it in asked} == {"create"}
    assert {it.code for it in asked} <= {201, 409}
    user = ("--as", world.operator.user, "--namespace", world.namespace)
    for verb in ("get", "list", "watch", "update", "patch", "delete"):
        assert not may(world, verb, "secrets", *user)


def may(world: Any, *question: str) -> bool:
    try:
        answer: str = world.cluster.kubectl("auth", "can-i", *question)
    except CommandFailed as refused:
        answer = refused.stdout
    assert answer.strip() in ("yes", "no"), answer
    return answer.strip() == "yes"


def test_the_trainer_s_account_may_read_and_answer_in_one_configmap_and_nothing_else(
    world: Any, manifest: Any
) -> None:
    world.apply(manifest("judge"))
    world.apply(manifest("other"))
    for name in ("judge", "other"):
        world.until("its rights", lambda name=name: f"{name}-trainer" in world.names("rolebinding"))
    user = f"system:serviceaccount:{world.namespace}:judge-trainer"
    account = ("--as", user, "--namespace", world.namespace)
    allowed = [(verb, "configmaps/judge-progress") for verb in ("get", "watch", "patch")]
    assert [it for it in allowed if not may(world, *it, *account)] == []
    denied = [
        ("update", "configmaps/judge-progress"),
        ("delete", "configmaps/judge-progress"),
        ("get", "configmaps/judge-run"),
        ("patch", "configmaps/judge-run"),
        ("patch", "configmaps/other-progress"),
        ("list", "configmaps"),
        ("watch", "configmaps"),
        ("create", "configmaps"),
        *((verb, "secrets") for verb in ("get", "list", "watch", "create")),
        ("get", "secrets/judge-c1-k1"),
        ("get", "pods"),
        ("get", "rewardmodeltrainings.training.rrm.dev"),
        ("create", "pods"),
    ]
    assert [it for it in denied if may(world, *it, *account)] == []

    # A watch of one name is what the trainer really does; of all names it is refused.
    path = f"/api/v1/namespaces/{world.namespace}/configmaps?watch=true&timeoutSeconds=1"
    one = f"{path}&fieldSelector=metadata.name%3Djudge-progress"
    assert '"judge-progress"' in world.cluster.kubectl("get", "--raw", one, "--as", user)
    with pytest.raises(CommandFailed, match="orbidden"):
        world.cluster.kubectl("get", "--raw", path, "--as", user)


def test_ray_pods_have_their_priority_and_stand_together_where_it_is_required(
    world: Any, manifest: Any, priority_class: str
) -> None:
    to_starting(
        world,
        manifest,
        workers={"nodes": 2, "gpusPerNode": 4},
        scheduling={
            "priorityClassName": priority_class,
            "topology": {"required": "kubernetes.io/hostname"},
        },
    )
    pods = pods_by_role(world)
    assert {it["spec"]["priority"] for it in (*pods["head"], *pods["worker"])} == {1000}
    # Nodes have 8 GPUs, and 110 of them are free: only the affinity puts both on one.
    assert len({it["spec"]["nodeName"] for it in pods["worker"]}) == 1


def test_a_drain_is_held_up_by_block_and_not_by_save(world: Any, manifest: Any) -> None:
    to_starting(world, manifest)
    worker = pods_by_role(world)["worker"][0]
    assert worker["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    world.until("a budget that counts", lambda: budget(world).get("currentHealthy") == 3)
    refusal = evict(world, worker["metadata"]["name"])
    assert refusal is not None
    assert "disruption budget" in refusal

    world.apply(manifest("judge", policy={"onDrain": "Save"}))
    world.until("the budget gone", lambda: not world.all("poddisruptionbudget"))
    assert evict(world, pods_by_role(world)["head"][0]["metadata"]["name"]) is None


def budget(world: Any) -> Any:
    return next((it.get("status", {}) for it in world.all("poddisruptionbudget")), {})


def test_the_pods_of_a_training_are_closed_to_all_but_each_other_and_the_operator(
    world: Any, manifest: Any
) -> None:
    """Its shape only: nothing enforces policies here."""
    world.apply(manifest("judge"))
    world.until("the policy", lambda: world.names("networkpolicy") == ["judge-network"])
    spec = world.get("networkpolicy", "judge-network")["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    assert len(spec["ingress"]) == 2


def test_a_drained_prepare_pod_is_made_again_an_outage_too_and_a_mistake_is_not(
    world: Any, manifest: Any
) -> None:
    def running() -> list[str]:
        pods = pods_by_role(world).get("prepare", [])
        return [it["metadata"]["name"] for it in pods if it.get("status", {}).get("phase") == "Running"]

    def next_pod(*before: str) -> str:
        found: list[str] = world.until(
            "another prepare pod", lambda: [it for it in running() if it not in before], seconds=90
        )
        return found[0]

    world.apply(manifest("judge"))
    first = next_pod()
    assert evict(world, first) is None
    end_evicted(world, first)
    second = next_pod(first)
    (job,) = world.all("job")
    assert job["status"].get("failed", 0) == 0

    world.cluster.finish_pod(world.namespace, second, exit_code=20)
    third = next_pod(first, second)
    (job,) = world.all("job")
    assert job["status"]["failed"] == 1

    world.cluster.finish_pod(world.namespace, third, exit_code=10)
    failed = world.until("the Job's failure", lambda: conditions(world.all("job")[0]).get("Failed"))
    assert failed["reason"] == "PodFailurePolicy"
    assert "exit code 10" in failed["message"]


def end_evicted(world: Any, name: str) -> None:
    """Let a pod end as its kubelet does after an eviction: what the API server wrote about it stays."""
    pod = world.get("pod", name)
    kept = [it for it in pod["status"]["conditions"] if it["type"] != "Ready"]
    assert "DisruptionTarget" in {it["type"] for it in kept}
    ended = finished_status(pod, exit_code=143, message="", now=pod["metadata"]["deletionTimestamp"])
    ended["status"]["conditions"] += kept
    world.cluster.client.patch_status("pod", name, ended, namespace=world.namespace)


def conditions(job: Any) -> dict[str, Any]:
    return {it["type"]: it for it in job.get("status", {}).get("conditions", [])}
