"""Many trainings at once, and the same pods without us: as bare RayClusters and as RayJobs.

Every request is sent by one process with as many at a time as the operator has workers.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rrm_api import group
from rrm_api.run import Intent, Prepared, RunFile, intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster.kube_api import MERGE_PATCH, KubeApi
from rrm_test_cluster.rig.trainer_stand_in import PREPARED, TOTAL_STEPS, TRAINED, moment

Manifest = dict[str, Any]
AT_A_TIME: Final = 16
"""Like the operator's setting `workers`."""
_TRAININGS: Final = f"/apis/{group.GROUP}/{group.VERSION}"
_RAY: Final = "/apis/ray.io/v1"


def training(name: str, **spec: Any) -> Manifest:
    """Return a training of one worker with one GPU, small enough for a thousand of them on fake nodes."""
    source = {"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2"}
    small = {"requests": {"cpu": "100m", "memory": "1Gi"}}
    return {
        "apiVersion": group.API_VERSION,
        "kind": group.KIND,
        "metadata": {"name": name},
        "spec": {
            "method": "Pointwise",
            "model": {"name": "Qwen/Qwen3-8B"},
            "data": {"train": [source]},
            "workers": {"nodes": 1, "gpusPerNode": 1, "resources": small},
            "checkpoints": {"volume": {"size": "1Gi"}},
            **spec,
        },
    }


def plain(spec: Manifest) -> Manifest:
    """Return what remains of a RayCluster's spec of ours in a namespace where nothing of ours is."""
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group_spec in groups:
        pod = group_spec["template"]["spec"]
        pod.pop("serviceAccountName", None)
        for volume in pod["volumes"]:
            if volume.pop("persistentVolumeClaim", None):
                volume["emptyDir"] = {}
    return {key: value for key, value in spec.items() if key != "authOptions"}


def ray_job(name: str, spec: Manifest) -> Manifest:
    """Return a RayJob in its cheapest mode: no pod that submits, and no dashboard that is asked."""
    body = {"submissionMode": "InteractiveMode", "entrypoint": "", "rayClusterSpec": spec}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": body}


def ray_cluster(name: str, spec: Manifest) -> Manifest:
    """Return a RayCluster that nobody but KubeRay looks after."""
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": name}, "spec": spec}


def is_ready(cluster: Manifest) -> bool:
    """Whether all pods of a RayCluster were ready once, in KubeRay's words."""
    conditions = cluster.get("status", {}).get("conditions", [])
    return any(it["type"] == "RayClusterProvisioned" and it["status"] == "True" for it in conditions)


def is_running(pod: Manifest) -> bool:
    """Whether a pod runs."""
    return bool(pod.get("status", {}).get("phase") == "Running")


def stage_of(body: Manifest) -> str:
    """Return the stage of a training, empty before the first."""
    return str(body.get("status", {}).get("stage", ""))


@dataclass(frozen=True)
class Fleet:
    """Writes to the objects of one namespace, many at a time."""

    api: KubeApi
    namespace: str

    @property
    def trainings(self) -> str:
        """Path of the trainings."""
        return f"{_TRAININGS}/namespaces/{self.namespace}/rewardmodeltrainings"

    @property
    def clusters(self) -> str:
        """Path of the RayClusters."""
        return f"{_RAY}/namespaces/{self.namespace}/rayclusters"

    @property
    def jobs(self) -> str:
        """Path of the RayJobs."""
        return f"{_RAY}/namespaces/{self.namespace}/rayjobs"

    @property
    def pods(self) -> str:
        """Path of the pods."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    async def create(self, path: str, manifests: Iterable[Manifest]) -> list[Manifest]:
        """Create objects; return them as they are now."""
        return await at_a_time(lambda it: self.api.request("POST", path, it), list(manifests))

    async def seed(self, bodies: Iterable[Manifest]) -> None:
        """Write the answers of preparing before anyone has asked: nothing is to be prepared then."""

        async def seed(body: Manifest) -> None:
            intent = intent_of(parse_training(body))
            labels = {group.LABEL_TRAINING: intent.name}
            metadata = {"name": f"{intent.name}-progress", "namespace": self.namespace, "labels": labels}
            data = {"prepare": prepare_record(intent)}
            manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            await self.api.request("POST", self._config_maps, manifest)

        await at_a_time(seed, list(bodies))

    async def edit(self, name: str, spec: Manifest) -> Manifest:
        """Change the spec of a training; return it as it is now."""
        return await self._patch(f"{self.trainings}/{name}", {"spec": spec})

    async def resume(self, names: Sequence[str]) -> None:
        """Let suspended trainings go on."""
        await at_a_time(lambda name: self.edit(name, {"suspend": False}), names)

    async def answer(self, name: str, key: str, value: str) -> None:
        """Write what a trainer would write into its progress ConfigMap."""
        await self._patch(f"{self._config_maps}/{name}-progress", {"data": {key: value}})

    async def answer_preparing(self, bodies: Iterable[Manifest]) -> None:
        """Write what the prepare Jobs of trainings would: their data is prepared."""
        intents = [intent_of(parse_training(body)) for body in bodies]
        await at_a_time(lambda it: self.answer(it.name, "prepare", prepare_record(it)), intents)

    async def progress(self, names: Sequence[str], step: int) -> None:
        """Let the first attempts report that they have reached a step."""

        async def report(name: str) -> None:
            told = {"attempt": 1, "phase": "Rollout", "step": step, "totalSteps": TOTAL_STEPS}
            await self.answer(name, "progress", json.dumps({**told, "time": moment()}))

        await at_a_time(report, names)

    async def delete_jobs(self) -> None:
        """Delete all RayJobs and wait until their RayClusters and pods are gone too."""
        names = await self._names(self.jobs)
        # KubeRay would ask each dashboard to stop the job first, and nothing answers there.
        no_finalizers = {"metadata": {"finalizers": None}}
        await at_a_time(lambda name: self._patch(f"{self.jobs}/{name}", no_finalizers), names)
        await self.delete(self.jobs)

    async def delete(self, path: str) -> None:
        """Delete all objects of a kind and wait until RayClusters and pods of the namespace are gone too.

        They would cost those that are measured next: KubeRay looks at them, and the operator asks Ray.
        """
        # One by one: to delete a collection of thousands takes longer than a request may.
        await at_a_time(lambda name: self._delete(f"{path}/{name}"), await self._names(path))
        for where in (path, self.clusters, self.pods):
            while (await self.api.request("GET", f"{where}?limit=1"))["items"]:
                await asyncio.sleep(0.5)

    async def _names(self, path: str) -> list[str]:
        return [it["metadata"]["name"] for it in (await self.api.request("GET", path))["items"]]

    @property
    def _config_maps(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    async def _delete(self, path: str) -> Manifest:
        return await self.api.request("DELETE", path, {"propagationPolicy": "Background"})

    async def _patch(self, path: str, patch: Manifest) -> Manifest:
        return await self.api.request("PATCH", path, patch, content_type=MERGE_PATCH)


async def at_a_time(work: Callable[[Any], Awaitable[Any]], items: Sequence[Any]) -> list[Any]:
    """Do the same with every item, in order, a few at the same time; return what came of each."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(item: Any) -> Any:
        async with slots:
            return await work(item)

    return list(await asyncio.gather(*(one(item) for item in items)))


def prepare_record(intent: Intent) -> str:
    """Return the answer that the data of an intent is prepared."""
    return _record("prepare", intent.digest(), reason="DataPrepared", prepared=PREPARED)


def train_record(intent: Intent) -> str:
    """Return the answer that the first attempt of an intent has trained and saved all steps."""
    run = RunFile(intent=intent, prepared=Prepared.model_validate(PREPARED))
    return _record("train", run.digest(), reason="Succeeded", attempt=1, trained=TRAINED)


def _record(role: str, digest: str, **more: Any) -> str:
    good = {"result": "Done", "message": "done", "exitCode": 0, "finishedTime": moment()}
    return json.dumps({"role": role, "inputDigest": digest, **good, **more})
