"""How fast the operator is and how much memory it takes, with KubeRay on fake nodes; prints, asserts no time.

The trainings' data is prepared: their prepare records are written at once, as 100 prepare Jobs that end
together would.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from rrm_api.run import Intent, intent_of
from rrm_api.v1alpha1 import parse_training
from rrm_test_cluster import Cluster
from rrm_test_cluster.audit import Asked
from rrm_test_cluster.kube_api import MERGE_PATCH, KubeApi, connect
from rrm_test_cluster.rig.operator_process import CRD, OperatorProcess
from rrm_test_cluster.rig.ray_stand_in import ray_stand_in
from rrm_test_cluster.rig.trainer_stand_in import PREPARED, moment

TRAININGS = 100
NAMESPACE = "bench"
GROUP = "/apis/training.rrm.dev/v1alpha1"
IDLE_SECONDS = 60.0
AT_A_TIME = 16
"""Like the operator's setting `workers`."""

pytestmark = [pytest.mark.bench, pytest.mark.fakenodes]
Manifest = dict[str, Any]


def training(number: int) -> Manifest:
    source = {"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2"}
    return {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": f"judge-{number:03d}", "namespace": NAMESPACE},
        "spec": {
            "method": "Pointwise",
            "model": {"name": "Qwen/Qwen3-8B"},
            "data": {"train": [source]},
            "workers": {"nodes": 1},
            "checkpoints": {"volume": {"size": "1Gi"}},
        },
    }


def prepare_record(intent: Intent) -> str:
    return json.dumps(
        {
            "role": "prepare",
            "inputDigest": intent.digest(),
            "result": "Done",
            "reason": "DataPrepared",
            "message": "done",
            "exitCode": 0,
            "finishedTime": moment(),
            "prepared": PREPARED,
        }
    )


@dataclass
class Timeline:
    """Seconds since the first record was written."""

    records: float = 0.0
    clusters: float = 0.0
    ready: float = 0.0
    bare: float = 0.0
    """The same number of RayClusters, made by the bench itself with as many requests at a time."""


async def all_made(api: KubeApi, path: str, holds: Any = lambda _: True) -> None:
    """Return when as many objects as there are trainings hold."""
    seen: set[str] = set()
    async for change in api.follow(path):
        if holds(change.body):
            seen.add(change.body["metadata"]["name"])
        if len(seen) >= TRAININGS:
            return


def is_starting(body: Manifest) -> bool:
    return body.get("status", {}).get("stage") in ("Starting", "Training")


def is_preparing(body: Manifest) -> bool:
    return body.get("status", {}).get("stage") == "Preparing"


async def write_records(api: KubeApi, intents: list[Intent]) -> None:
    async def write(intent: Intent) -> None:
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{intent.name}-progress"
        patch = {"data": {"prepare": prepare_record(intent)}}
        await api.request("PATCH", path, patch, content_type=MERGE_PATCH)

    await asyncio.gather(*(write(intent) for intent in intents))


async def make_bare_clusters(api: KubeApi, path: str) -> float:
    """Make as many RayClusters as the operator made, of the same shape; return how long that took."""
    model = (await api.request("GET", path))["items"][0]
    at_a_time = asyncio.Semaphore(AT_A_TIME)

    async def make(number: int) -> None:
        metadata = {"name": f"bare-{number:03d}", "namespace": NAMESPACE}
        body = {key: model[key] for key in ("apiVersion", "kind", "spec")}
        async with at_a_time:
            await api.request("POST", path, {**body, "metadata": metadata})

    started = time.monotonic()
    await asyncio.gather(*(make(number) for number in range(TRAININGS)))
    return time.monotonic() - started


async def run(kubeconfig: Path) -> tuple[Timeline, float]:
    """Return the timeline, and the seconds from the first apply until all trainings are being prepared."""
    clusters = f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayclusters"
    trainings = f"{GROUP}/namespaces/{NAMESPACE}/rewardmodeltrainings"
    async with connect(kubeconfig) as api, asyncio.TaskGroup() as tasks:
        started = time.monotonic()
        preparing = tasks.create_task(all_made(api, trainings, is_preparing))
        bodies = [await api.request("POST", trainings, training(number)) for number in range(TRAININGS)]
        await preparing
        applied = time.monotonic() - started
        await asyncio.sleep(5)
        intents = [intent_of(parse_training(body)) for body in bodies]
        line, started = Timeline(), time.monotonic()
        made = tasks.create_task(all_made(api, clusters))
        starting = tasks.create_task(all_made(api, trainings, is_starting))
        await write_records(api, intents)
        line.records = time.monotonic() - started
        await made
        line.clusters = time.monotonic() - started
        await starting
        line.ready = time.monotonic() - started
    return line, applied


async def bare(kubeconfig: Path) -> float:
    async with connect(kubeconfig) as api:
        return await make_bare_clusters(api, f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayclusters")


@pytest.fixture
def operator(fake_nodes_cluster: Cluster, tmp_path: Path) -> Iterator[OperatorProcess]:
    fake_nodes_cluster.client.install_crds(CRD)
    fake_nodes_cluster.create_namespace(NAMESPACE)
    with ray_stand_in() as ray:
        made = OperatorProcess(fake_nodes_cluster, tmp_path, "bench-operator", {"ray_url": ray.url})
        made.install()
        try:
            made.start()
            yield made
        finally:
            made.close()


def settled(operator: OperatorProcess) -> list[Asked]:
    """Return what was asked for, once nothing more has been for five seconds."""
    asked: list[Asked] = []
    while len(asked) != len(now := operator.asked()):
        asked = now
        time.sleep(5)
    return asked


def test_a_hundred_trainings_whose_data_is_prepared(operator: OperatorProcess) -> None:
    empty = operator.memory()
    line, applied = asyncio.run(run(operator.cluster.kubeconfig))
    asked = settled(operator)
    loaded = operator.memory()
    time.sleep(IDLE_SECONDS)
    idle = operator.asked()[len(asked) :]
    line.bare = asyncio.run(bare(operator.cluster.kubeconfig))
    writes = Counter(it.verb for it in asked)

    table = Table("what", "value", "target", title=f"{TRAININGS} trainings, operator as a process of its own")
    table.add_row("apply -> all Preparing", f"{applied:.1f} s", "")
    table.add_row("first record -> last record written", f"{line.records:.1f} s", "")
    table.add_row("first record -> all RayClusters exist", f"{line.clusters:.1f} s", "5 s")
    table.add_row("the same RayClusters, made by the bench alone", f"{line.bare:.1f} s", "")
    table.add_row("first record -> all jobs submitted", f"{line.ready:.1f} s", "")
    table.add_row("memory, empty", f"{empty['VmRSS']:.0f} MB", "")
    table.add_row("memory, all trainings", f"{loaded['VmRSS']:.0f} MB", "104 MB")
    table.add_row("memory, peak", f"{loaded['VmHWM']:.0f} MB", "104 MB")
    table.add_row("requests for each training", f"{len(asked) / TRAININGS:.1f}  {dict(writes)}", "")
    table.add_row(f"requests in {IDLE_SECONDS:.0f} s of nothing", f"{len(idle)}", "0")
    load = ", ".join(f"{it:.1f}" for it in os.getloadavg())
    table.caption = f"load of this machine of {os.cpu_count()} cores in the last 1, 5, 15 min: {load}"
    Console(width=140).print(table)
    assert len({it.name for it in asked if it.resource == "rayclusters" and it.verb == "create"}) <= TRAININGS
