"""Makes the world look like a plan; writes only where it differs, each kind in its own way.

| kind | written |
|---|---|
| Secret, Job, RayCluster | created once, never changed: their templates belong to others after that |
| the answer of preparing | removed before another prepare Job is created |
| PersistentVolumeClaim | created; later only `requests.storage` grows |
| ConfigMap, ServiceAccount, Role, RoleBinding | server-side apply when the digest on it is another one |
"""

from rrm_api import group
from rrm_api.run import Role
from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, ObjectFact, Snapshot
from rrm_operator.observe import Observer
from rrm_operator.plan import Plan
from rrm_operator.plan.checkpoints import amount
from rrm_operator.plan.names import progress_name
from rrm_operator.ports import Cluster, RayJobs, Ref


async def apply(plan: Plan, snapshot: Snapshot, cluster: Cluster) -> None:
    """Delete and write what differs from what is seen."""
    for ref in plan.delete:
        await cluster.delete(ref)
    for manifest in plan.objects:
        await _write(manifest, snapshot, cluster)


async def grow(plan: Plan, snapshot: Snapshot, cluster: Cluster) -> None:
    """Let the claim grow: last, since nothing depends on it and many storage classes forbid it."""
    for manifest in plan.objects:
        if manifest["kind"] == Kind.PERSISTENT_VOLUME_CLAIM and snapshot.claim is not None:
            await _grow_claim(manifest, snapshot.claim, cluster)


async def submit(plan: Plan, key: Key, ray: RayJobs, observer: Observer) -> None:
    """Hand in the job; the attempt was counted before, so a crash in between repeats it under the same id."""
    if plan.submission is not None:
        try:
            await ray.submit(plan.submission)
        except RayUnavailable as error:
            observer.not_submitted(key, str(error))
            raise
        observer.submitted(key, plan.submission.submission_id)


async def _write(manifest: Manifest, snapshot: Snapshot, cluster: Cluster) -> None:
    kind, name = Kind(manifest["kind"]), manifest["metadata"]["name"]
    match kind:
        case Kind.JOB | Kind.RAY_CLUSTER | Kind.PERSISTENT_VOLUME_CLAIM:
            await _create_once(manifest, snapshot, cluster)
        case Kind.SECRET:
            # Never read back, so it is planned only together with the RayCluster that needs it.
            await cluster.create(manifest)
        case _:
            live = _live(snapshot, kind, name)
            if live is None or (not live.deleting and live.digest != _digest(manifest)):
                await cluster.apply(manifest)


async def _create_once(manifest: Manifest, snapshot: Snapshot, cluster: Cluster) -> None:
    known = {it.name for it in snapshot.jobs} | {it.name for it in snapshot.clusters}
    if snapshot.claim is not None:
        known.add(snapshot.claim.name)
    if manifest["metadata"]["name"] in known:
        return
    if manifest["kind"] == Kind.JOB:
        await _forget_answer(manifest, snapshot, cluster)
    await cluster.create(manifest)


async def _forget_answer(job: Manifest, snapshot: Snapshot, cluster: Cluster) -> None:
    """Remove what an earlier prepare Job has answered, before another one rewrites the data it is about.

    From here on that answer is true of nothing: a spec that is edited back to it must prepare again. Only
    a place to answer that was just made has nothing to be removed.
    """
    metadata = job["metadata"]
    labels = metadata["labels"]
    name = progress_name(labels[group.LABEL_TRAINING])
    if labels[group.LABEL_ROLE] == Role.PREPARE and _live(snapshot, Kind.CONFIG_MAP, name) is not None:
        ref = Ref(Kind.CONFIG_MAP, metadata["namespace"], name)
        await cluster.patch(ref, {"data": {Role.PREPARE.value: None}})


async def _grow_claim(manifest: Manifest, claim: ClaimFact, cluster: Cluster) -> None:
    wanted = manifest["spec"]["resources"]["requests"]["storage"]
    if amount(wanted) > amount(claim.requested):
        metadata = manifest["metadata"]
        ref = Ref(Kind.PERSISTENT_VOLUME_CLAIM, metadata["namespace"], metadata["name"])
        await cluster.patch(ref, {"spec": {"resources": {"requests": {"storage": wanted}}}})


def _live(snapshot: Snapshot, kind: Kind, name: str) -> ObjectFact | None:
    return next((it for it in snapshot.objects if it.kind is kind and it.name == name), None)


def _digest(manifest: Manifest) -> str:
    return str(manifest["metadata"]["annotations"][group.ANNOTATION_DIGEST])
