"""A process that plays the kubelets of many nodes: pods become Running and Ready, and go when deleted.

They run nothing: a Job's pod stays Running until a test says how it ended. Nodes send no heartbeat, as the
controller-manager is told to expect none.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from rrm_test_cluster.fake_pods import (
    fake_node,
    fake_node_status,
    is_leaving,
    is_waiting_for_a_kubelet,
    running_status,
)
from rrm_test_cluster.kube_api import MERGE_PATCH, STRATEGIC_PATCH, KubeApi, Manifest, Refused, connect

_LOGGER = logging.getLogger(__name__)
_POD_NETWORK = "10.216.0.0/16"
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


async def run_fake_nodes(kubeconfig: Path, *, count: int, gpus: int) -> None:
    """Make the nodes, then play their kubelets for ever."""
    async with connect(kubeconfig) as api:
        await asyncio.gather(*(_make_node(api, f"fake-{number:04d}", gpus) for number in range(count)))
        _LOGGER.info("%d fake nodes are ready", count)
        await _FakeKubelet(api).run()


async def _make_node(api: KubeApi, name: str, gpus: int) -> None:
    await api.request("POST", "/api/v1/nodes", fake_node(name))
    status = fake_node_status(_now(), gpus=gpus)
    await api.request("PATCH", f"/api/v1/nodes/{name}/status", status, content_type=STRATEGIC_PATCH)


class _FakeKubelet:
    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._addresses: Iterator[object] = iter(ipaddress.ip_network(_POD_NETWORK).hosts())
        self._started: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        # Only pods that have a node: those that wait for the scheduler are nobody's yet.
        async for change in self._api.follow("/api/v1/pods", "fieldSelector=spec.nodeName!="):
            uid = change.body["metadata"]["uid"]
            if change.kind == "DELETED":
                self._started.discard(uid)
            elif is_leaving(change.body):
                self._spawn(self._end(change.body))
            elif is_waiting_for_a_kubelet(change.body) and uid not in self._started:
                self._started.add(uid)
                self._spawn(self._start(change.body))

    async def _start(self, pod: Manifest) -> None:
        patch = running_status(pod, address=str(next(self._addresses)), now=_now())
        await self._write("PATCH", _path(pod) + "/status", patch)

    async def _end(self, pod: Manifest) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._write("DELETE", _path(pod), options)

    async def _write(self, method: str, path: str, body: Manifest) -> None:
        content_type = MERGE_PATCH if method == "PATCH" else "application/json"
        try:
            await self._api.request(method, path, body, content_type=content_type)
        except Refused as refusal:
            if refusal.status not in _GONE:
                raise

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _LOGGER.error("a pod was not written: %s", error)


def _path(pod: Manifest) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
