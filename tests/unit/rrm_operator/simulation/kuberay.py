"""KubeRay 1.6, Kueue and the kubelet, as far as their RayClusters' pods go; read from their sources.

A provisioned head is never made anew, and without it nothing else; after a suspension all is new.
"""

from dataclasses import dataclass, field
from typing import Any

from rrm_api import group
from rrm_operator.facts import Kind, Manifest

from .api_server import NAMESPACE, ApiServer, written

SYNC_SECONDS = 0.4
SCHEDULE_SECONDS = 1.0
START_SECONDS = 1.5
ADMIT_SECONDS = 5.0
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


@dataclass
class Nodes:
    """The scheduler and the kubelets: whether pods start."""

    api: ApiServer
    full_until: float = 0.0
    no_image_until: float = 0.0
    no_volume_until: float = 0.0
    pods_made: int = 0

    def make_pod(self, owner: Manifest, role: str, *, name: str, labels: dict[str, str]) -> None:
        """Make a pod of a RayCluster or a Job, and start it as soon as there is room."""
        self.pods_made += 1
        training = owner["metadata"]["labels"][group.LABEL_TRAINING]
        reference = {"kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}
        made = self.api.put(
            {
                "kind": Kind.POD,
                "metadata": {
                    "name": f"{name}-{self.pods_made}",
                    "namespace": NAMESPACE,
                    "labels": {group.LABEL_TRAINING: training, group.LABEL_ROLE: role, **labels},
                    "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}],
                },
                "spec": {"containers": [{"name": "main"}]},
                "status": {"phase": "Pending"},
            }
        )
        self._later(SCHEDULE_SECONDS, made)

    def pod(self, name: str, uid: str) -> Manifest | None:
        """Return a pod that is not leaving."""
        live = self.api.get(Kind.POD, name)
        if live is None or live["metadata"]["uid"] != uid or "deletionTimestamp" in live["metadata"]:
            return None
        return live

    def _later(self, seconds: float, pod: Manifest) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        self.api.timeline.after(seconds, lambda: self._start(name, uid))

    def _start(self, name: str, uid: str) -> None:
        pod, now = self.pod(name, uid), self.api.timeline.now
        if pod is None or pod["status"]["phase"] != "Pending":
            return
        if now < self.full_until:
            words = {"reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient gpu"}
            self._waits(pod, {"conditions": [{"type": "PodScheduled", "status": "False", **words}]})
        elif now < self.no_volume_until:
            unmounted = {"type": "PodReadyToStartContainers", "status": "False"}
            self._waits(pod, {"conditions": [*self._scheduled(), unmounted]})
        elif now < self.no_image_until:
            waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}
            self._waits(
                pod,
                {"conditions": self._scheduled(), "containerStatuses": [{"name": "main", "state": waiting}]},
            )
        else:
            self.api.timeline.after(START_SECONDS, lambda: self._runs(name, uid))

    def _waits(self, pod: Manifest, status: Manifest) -> None:
        new = {"phase": "Pending", **status}
        before = {
            **pod["status"],
            "conditions": [
                {k: v for k, v in it.items() if k != "lastTransitionTime"}
                for it in pod["status"].get("conditions", [])
            ],
        }
        after = {
            **new,
            "conditions": [
                {k: v for k, v in it.items() if k != "lastTransitionTime"} for it in new["conditions"]
            ],
        }
        if before != after:
            self.api.put({**pod, "status": new})
        self._later(5.0, pod)

    def _scheduled(self) -> list[Manifest]:
        return [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": written(self.api.timeline.now)}
        ]

    def _runs(self, name: str, uid: str) -> None:
        pod = self.pod(name, uid)
        if pod is None or pod["status"]["phase"] != "Pending":
            return
        conditions = [*self._scheduled(), {"type": "Ready", "status": "True"}]
        main = {
            "name": "main",
            "imageID": "registry.example.com/rrm-trainer@sha256:" + "a" * 64,
            "state": {"running": {}},
            "restartCount": 0,
        }
        status = {"phase": "Running", "conditions": conditions, "containerStatuses": [main]}
        self.api.put({**pod, "status": status})


@dataclass
class KubeRay:
    """Makes RayClusters' pods; level-triggered, a moment after anything changed."""

    api: ApiServer
    nodes: Nodes
    installed: bool = True
    _due: set[str] = field(default_factory=set)

    def told(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Take in a change of a RayCluster or of its pod."""
        if kind == Kind.RAY_CLUSTER and not deleted:
            self._soon(manifest["metadata"]["name"])
        elif kind == Kind.POD:
            owner: Manifest = next(iter(manifest["metadata"].get("ownerReferences") or ()), {})
            if owner.get("kind") == Kind.RAY_CLUSTER:
                self._soon(owner["name"])

    def received(self, manifest: Manifest) -> Manifest:
        """Return an object as Kueue's webhook lets it in: a RayCluster with a queue waits for quota."""
        if manifest["kind"] != Kind.RAY_CLUSTER or QUEUE_LABEL not in manifest["metadata"]["labels"]:
            return manifest
        name = manifest["metadata"]["name"]
        wait = max(ADMIT_SECONDS, self.nodes.full_until - self.api.timeline.now)
        self.api.timeline.after(wait, lambda: self.admit(name))
        return {**manifest, "spec": {**manifest["spec"], "suspend": True}}

    def admit(self, name: str) -> None:
        """Let Kueue give a RayCluster its quota."""
        live = self.api.get(Kind.RAY_CLUSTER, name)
        if live is not None and live["spec"].get("suspend"):
            self.api.timeline.tell(f"Kueue admits {name}")
            self.api.change(Kind.RAY_CLUSTER, name, {"spec": {"suspend": False}})

    def preempt(self, name: str, *, seconds: float) -> None:
        """Let Kueue take the quota of a RayCluster away, and give it back later."""
        if self.api.get(Kind.RAY_CLUSTER, name) is not None:
            self.api.change(Kind.RAY_CLUSTER, name, {"spec": {"suspend": True}})
            self.api.timeline.after(seconds, lambda: self.admit(name))

    def _soon(self, name: str) -> None:
        if name not in self._due:
            self._due.add(name)
            self.api.timeline.after(SYNC_SECONDS, lambda: self._sync(name))

    def _sync(self, name: str) -> None:
        self._due.discard(name)
        cluster = self.api.get(Kind.RAY_CLUSTER, name)
        if cluster is None or not self.installed or "deletionTimestamp" in cluster["metadata"]:
            return
        pods = self.api.owned(cluster["metadata"]["uid"], Kind.POD)
        conditions = {it["type"]: it for it in cluster.get("status", {}).get("conditions", [])}
        provisioned = conditions.get("RayClusterProvisioned", {}).get("status") == "True"
        suspended = conditions.get("RayClusterSuspended", {}).get("status") == "True"
        wants_none = cluster["spec"].get("suspend") is True
        if wants_none:
            for pod in pods:
                if "deletionTimestamp" not in pod["metadata"]:
                    self.api.delete(Kind.POD, pod["metadata"]["name"])
            suspended, provisioned = not pods, provisioned and bool(pods)
        else:
            suspended = False
            self._make_pods(cluster, pods, provisioned=provisioned)
        pods = self.api.owned(cluster["metadata"]["uid"], Kind.POD)
        self._say(cluster, pods, conditions, provisioned=provisioned, suspended=suspended)

    def _make_pods(self, cluster: Manifest, pods: list[Manifest], *, provisioned: bool) -> None:
        for pod in pods:
            if (
                pod["status"]["phase"] in ("Failed", "Succeeded")
                and "deletionTimestamp" not in pod["metadata"]
            ):
                self.api.delete(Kind.POD, pod["metadata"]["name"])
        name = cluster["metadata"]["name"]
        if not any(_type(pod) == "head" for pod in pods):
            if provisioned:
                return
            self.nodes.make_pod(cluster, "train", name=f"{name}-head", labels={"ray.io/node-type": "head"})
        wanted = cluster["spec"]["workerGroupSpecs"][0]["replicas"]
        for _ in range(wanted - sum(_type(pod) == "worker" for pod in pods)):
            self.nodes.make_pod(
                cluster, "train", name=f"{name}-worker", labels={"ray.io/node-type": "worker"}
            )

    def _say(
        self,
        cluster: Manifest,
        pods: list[Manifest],
        before: dict[str, Manifest],
        *,
        provisioned: bool,
        suspended: bool,
    ) -> None:
        heads = [pod for pod in pods if _type(pod) == "head"]
        ready = [pod for pod in pods if _type(pod) == "worker" and is_ready(pod)]
        wanted = cluster["spec"]["workerGroupSpecs"][0]["replicas"]
        head_ready = bool(heads) and is_ready(heads[0])
        whole = head_ready and len(ready) >= wanted
        reason = (
            "HeadPodRunningAndReady" if head_ready else "ContainersNotReady" if heads else "HeadPodNotFound"
        )
        said = {
            "HeadPodReady": (head_ready, reason),
            "RayClusterProvisioned": (provisioned or whole, "AllPodRunningAndReadyFirstTime"),
            "RayClusterSuspended": (suspended, "RayClusterSuspended"),
        }
        status: Manifest = {
            "conditions": [
                _condition(kind, *it, before.get(kind), self.api.timeline.now) for kind, it in said.items()
            ],
            "head": {"serviceName": f"{cluster['metadata']['name']}-head-svc"},
        }
        if ready:
            status["readyWorkerReplicas"] = len(ready)
        if status != cluster.get("status"):
            self.api.put({**cluster, "status": status})


def is_ready(pod: Manifest) -> bool:
    """Return whether a pod runs and is not leaving."""
    leaves = "deletionTimestamp" in pod["metadata"]
    conditions = pod["status"].get("conditions", [])
    return not leaves and any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)


def _type(pod: Manifest) -> str:
    return str(pod["metadata"]["labels"].get("ray.io/node-type", ""))


def _condition(kind: str, holds: bool, reason: str, before: Any, now: float) -> Manifest:
    same = before is not None and before["status"] == str(holds)
    time = before["lastTransitionTime"] if same else written(now)
    return {"type": kind, "status": str(holds), "reason": reason, "lastTransitionTime": time}
