"""The RayCluster of an attempt and the Secret with its token; both are created once and never changed."""

from typing import Final

from rrm_api import group
from rrm_api.spec_pods import Accelerator
from rrm_operator.assess.checks import MAIN_CONTAINERS
from rrm_operator.assess.inputs import identity_of
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest, PodRole
from rrm_operator.keys import RayKeys
from rrm_operator.plan.disruption import disruption_annotations
from rrm_operator.plan.merge import merge
from rrm_operator.plan.names import cluster_name, metadata_of, token_secret_name, with_annotations
from rrm_operator.plan.pod import Part, plan_pod
from rrm_operator.plan.ray_environment import ray_environment
from rrm_operator.plan.scheduling import cluster_labels, with_scheduling
from rrm_operator.plan.shutdown import with_shutdown
from rrm_operator.settings import Settings

TOKEN_KEY: Final = "auth_token"
"""The key KubeRay reads."""
_HEAD_PORTS: Final = (("gcs-server", 6379), ("dashboard", 8265), ("client", 10001))
_START: Final = {"disable-usage-stats": "true"}
_CPU_HEAD_STORE: Final = {"object-store-memory": "200000000"}
_CPU_WORKER: Final = {"object-store-memory": "500000000"}
_HEAD_SHARED_MEMORY: Final = "2Gi"


def plan_ray_cluster(
    situation: Situation, settings: Settings, keys: RayKeys, *, attempt: int
) -> tuple[Manifest, ...]:
    """Return the token's Secret and the RayCluster of an attempt, in the order they are to be made."""
    metadata, run = situation.training.metadata, situation.run
    assert run is not None, "a RayCluster is planned only when the data is prepared"
    name = cluster_name(metadata.name, attempt)
    secret = token_secret_name(name, keys.newest)
    cluster: Manifest = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": metadata_of(metadata, name, "train"),
        "spec": {
            "rayVersion": settings.ray_version,
            "authOptions": {"mode": "token", "secretName": secret},
            "headGroupSpec": _head(situation, settings),
            "workerGroupSpecs": [_workers(situation, settings)],
        },
    }
    cluster["metadata"]["labels"] |= {
        **cluster_labels(situation.training.spec, name),
        group.LABEL_ATTEMPT: str(attempt),
    }
    annotations = {
        group.ANNOTATION_DIGEST: run.digest(),
        group.ANNOTATION_SHAPE: situation.shape,
        group.ANNOTATION_IDENTITY: identity_of(situation.training),
        group.ANNOTATION_RAY_KEY: keys.newest,
        # A head that comes back has forgotten the job: its loss shall be seen, and become a new attempt.
        "ray.io/disable-provisioned-head-restart": "true",
    }
    return _secret(situation, keys, secret), with_annotations(cluster, **annotations)


def logical_cpus(gpus: int) -> int:
    """Return how many CPUs Ray shall count on a node, whatever its real cores are; for 1 GPU or more.

    verl (its resource pool) asks for one bundle of 3 CPUs and 1 GPU per GPU, all on one node, and the
    processes beside the bundles ask for one CPU each. Told no number, KubeRay derives it from the CPU
    request, and bundles that no node can hold are waited for without end.

    >>> logical_cpus(1), logical_cpus(8)
    (16, 64)
    """
    return max(16, 8 * gpus)


def _secret(situation: Situation, keys: RayKeys, name: str) -> Manifest:
    metadata = situation.training.metadata
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata_of(metadata, name, "train"),
        "type": "Opaque",
        "stringData": {TOKEN_KEY: keys.token(metadata.uid, keys.newest)},
    }


def _head(situation: Situation, settings: Settings) -> Manifest:
    spec = situation.training.spec
    store = _CPU_HEAD_STORE if spec.workers.accelerator is Accelerator.CPU else {}
    part = Part(
        role=PodRole.HEAD,
        knobs=spec.head,
        resources=settings.head_resources,
        container={
            "ports": [{"name": name, "containerPort": port} for name, port in _HEAD_PORTS],
            "volumeMounts": [_SHM_MOUNT],
        },
        pod=_ray_pod(_HEAD_SHARED_MEMORY),
        env=ray_environment(spec),
    )
    # The driver alone runs on the head: no logical CPU means that no actor is placed there.
    start = {**_START, **store, "num-cpus": "0", "num-gpus": "0", "dashboard-host": "0.0.0.0"}
    return {"rayStartParams": start, "template": _template(situation, part, settings)}


def _workers(situation: Situation, settings: Settings) -> Manifest:
    spec, workers = situation.training.spec, situation.training.spec.workers
    on_cpu = workers.accelerator is Accelerator.CPU
    gpus, cpus = str(workers.gpus_per_node), str(logical_cpus(workers.gpus_per_node))
    part = Part(
        role=PodRole.WORKER,
        knobs=workers,
        resources=settings.cpu_worker_resources if on_cpu else settings.worker_resources,
        container={"volumeMounts": [_SHM_MOUNT]},
        pod=_ray_pod(workers.shared_memory or settings.shared_memory),
        env=ray_environment(spec),
        extended_resources=() if on_cpu else ((workers.gpu_resource, gpus),),
    )
    # Without GPUs the number is logical: verl places one process per GPU either way.
    start = {**_START, **(_CPU_WORKER if on_cpu else {}), "num-cpus": cpus, "num-gpus": gpus}
    return {
        "groupName": "workers",
        "replicas": workers.nodes,
        "minReplicas": workers.nodes,
        "maxReplicas": workers.nodes,
        "rayStartParams": start,
        "template": _template(situation, part, settings),
    }


def _template(situation: Situation, part: Part, settings: Settings) -> Manifest:
    """Return the template of a Ray pod: placed by its scheduler, kept while it trains, saved when it goes."""
    training, main = situation.training, MAIN_CONTAINERS[part.role]
    template = with_scheduling(plan_pod(situation, part, settings), training.spec, part.role)
    template = with_shutdown(template, training, main=main, settings=settings)
    kept = {"metadata": {"annotations": disruption_annotations(training.spec)}}
    return merge(kept, template)


_SHM_MOUNT: Final = {"name": "shm", "mountPath": "/dev/shm"}


def _ray_pod(shared_memory: str) -> Manifest:
    return {"volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": shared_memory}}]}
