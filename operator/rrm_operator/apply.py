"""Makes the world look like a plan; writes only where it differs, each kind in its own way.

| kind | written |
|---|---|
| Secret, Job, RayCluster | created once, never changed: their templates belong to others after that |
| the answer of preparing | removed before another prepare Job is created |
| PersistentVolumeClaim | created; later only `requests.storage` grows, and its owner follows the spec |
| all others | server-side apply when the digest on it is another one, or somebody has changed what it says |
"""

import asyncio
import logging
from typing import Final

from rrm_api import group
from rrm_api.quantities import amount
from rrm_api.run import Role
from rrm_operator.content import content_digest
from rrm_operator.errors import Forbidden, RayUnavailable, Refused
from rrm_operator.facts import ClaimFact, Key, Kind, Manifest, ObjectFact, Snapshot
from rrm_operator.observe import REGROW_SECONDS, Observer
from rrm_operator.plan import Plan
from rrm_operator.plan.names import progress_name
from rrm_operator.ports import Cluster, RayJobs, Ref
from rrm_operator.repairs import Postponed, Repairs

_log = logging.getLogger(__name__)

_LATER: Final = {Kind.ROLE_BINDING: 1, Kind.JOB: 2, Kind.RAY_CLUSTER: 2}
"""Which kinds wait for others: a binding for its Role, pods for all that they mount or run as."""


async def apply(plan: Plan, snapshot: Snapshot, cluster: Cluster, repairs: Repairs) -> float | None:
    """Delete, then write what differs from what is seen; at the same time where nothing waits for another.

    Returns:
        After how many seconds to look again because of what others keep changing.
    """
    if plan.forget is not None:
        await _forget(plan.forget, snapshot, cluster)
    for ref in plan.delete:
        await cluster.delete(ref)
        repairs.deleted(ref)
    postponed: list[Postponed] = []
    for wave in range(1 + max(_LATER.values())):
        manifests = (it for it in plan.objects if _LATER.get(Kind(it["kind"]), 0) == wave)
        writes = (_write(it, snapshot, cluster, repairs) for it in manifests)
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        errors = [it for it in outcomes if isinstance(it, BaseException)]
        if errors:
            # What is refused for good is a person's business, and is told before what may pass by itself.
            raise next((it for it in errors if isinstance(it, Refused)), errors[0])
        postponed += [it for it in outcomes if isinstance(it, Postponed)]
    if repairs.tell(postponed):
        return 0.0  # The next look says so in the status.
    return min((it.seconds for it in postponed), default=None)


async def submit(plan: Plan, key: Key, ray: RayJobs, observer: Observer) -> None:
    """Hand in the job; the attempt was counted before, so a crash in between repeats it under the same id."""
    if plan.submission is not None:
        try:
            await ray.submit(plan.submission)
        except RayUnavailable as error:
            observer.not_submitted(key, str(error))
            raise
        observer.submitted(key, plan.submission.submission_id)


async def stop(plan: Plan, key: Key, ray: RayJobs, observer: Observer) -> None:
    """Let Ray stop a job, once; where Ray does not answer, its pods go when the time of the stop is over."""
    if plan.stop is None or observer.was_stopped(key, plan.stop.submission_id):
        return
    try:
        await ray.stop(plan.stop)
    except RayUnavailable as error:
        _log.warning("%s", error, extra={"training": str(key), "submission": plan.stop.submission_id})
    else:
        observer.stopped(key, plan.stop.submission_id)


async def own(plan: Plan, claim: ClaimFact | None, cluster: Cluster, *, uid: str) -> None:
    """Let a claim of ours go with its training, or not, as its spec says now."""
    kind = Kind.PERSISTENT_VOLUME_CLAIM
    if plan.claim is None or claim is None or claim.deleting:
        return
    wanted = plan.claim["metadata"]
    if claim.name != wanted["name"]:
        return
    owners = wanted.get("ownerReferences")
    if claim.owner == (uid if owners else ""):
        return
    patch = {"metadata": {"ownerReferences": owners}}
    await cluster.patch(Ref(kind, wanted["namespace"], wanted["name"]), patch)


async def grow(
    plan: Plan, claim: ClaimFact | None, cluster: Cluster, observer: Observer, *, key: Key
) -> float | None:
    """Let the claim grow; return after how many seconds to look again because of it.

    Last, and a refusal is noted instead of raised: nothing depends on it, many storage classes forbid it.
    """
    kind = Kind.PERSISTENT_VOLUME_CLAIM
    wanted = next((it for it in plan.objects if it["kind"] == kind), None)
    if wanted is None or claim is None or claim.phase != "Bound":
        return None  # The API server lets only bound claims grow.
    metadata, size = wanted["metadata"], wanted["spec"]["resources"]["requests"]["storage"]
    if amount(size) <= amount(claim.requested):
        return 0.0 if observer.grown(key) else None
    if wait := observer.growth_wait(key, size):
        return wait
    try:
        patch = {"spec": {"resources": {"requests": {"storage": size}}}}
        await cluster.patch(Ref(kind, metadata["namespace"], metadata["name"]), patch)
    except (Forbidden, Refused) as error:
        if isinstance(error, Forbidden) and error.terminating:
            raise
        return 0.0 if observer.not_grown(key, size, str(error)) else REGROW_SECONDS
    return 0.0 if observer.grown(key) else None


async def _write(
    manifest: Manifest, snapshot: Snapshot, cluster: Cluster, repairs: Repairs
) -> Postponed | None:
    kind, name = Kind(manifest["kind"]), manifest["metadata"]["name"]
    match kind:
        case Kind.JOB | Kind.RAY_CLUSTER | Kind.PERSISTENT_VOLUME_CLAIM:
            await _create_once(manifest, snapshot, cluster)
        case Kind.SECRET:
            # Never read back, so it is planned only together with the RayCluster that needs it.
            await cluster.create(manifest)
        case _:
            live = _live(snapshot, kind, name)
            if live is None or not (live.deleting or _is_as_planned(live, manifest)):
                return await _apply(manifest, live, cluster, repairs)
    return None


async def _apply(
    manifest: Manifest, live: ObjectFact | None, cluster: Cluster, repairs: Repairs
) -> Postponed | None:
    """Write an object, unless it was written lately and others want it otherwise: then it waits.

    What somebody has changed and we may not put right is told, and keeps neither a job from being handed in
    nor one from being stopped: whoever changed it can change it back, and a training is not theirs to end.
    """
    if (waits := repairs.postponed(manifest, exists=live is not None)) is not None:
        return waits
    metadata = manifest["metadata"]
    is_repair = live is not None and live.digest == _digest(manifest)
    changed = f"somebody has changed {manifest['kind']} {metadata['name']}"
    details = {"training": f"{metadata['namespace']}/{metadata['labels'][group.LABEL_TRAINING]}"}
    try:
        await cluster.apply(manifest)
    except (Forbidden, Refused) as error:
        if not is_repair or (isinstance(error, Forbidden) and error.terminating):
            raise
        _log.warning("%s, and it cannot be put right: %s", changed, error, extra=details)
        repairs.wrote(manifest, refusal=str(error))
        return repairs.postponed(manifest, exists=True)
    repairs.wrote(manifest)
    if is_repair:
        _log.warning("%s: put right", changed, extra=details)
    return None


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
    a place to answer that was just made has nothing to be removed. Not if anything was written since we
    looked: that may be the answer of this very Job, which we made before and have not heard of yet.
    """
    metadata = job["metadata"]
    labels = metadata["labels"]
    name = progress_name(labels[group.LABEL_TRAINING])
    if labels[group.LABEL_ROLE] == Role.PREPARE and _live(snapshot, Kind.CONFIG_MAP, name) is not None:
        await _forget(Ref(Kind.CONFIG_MAP, metadata["namespace"], name), snapshot, cluster)


async def _forget(answers: Ref, snapshot: Snapshot, cluster: Cluster) -> None:
    version = {"metadata": {"resourceVersion": snapshot.progress.version}}
    await cluster.patch(answers, {**version, "data": {Role.PREPARE.value: None}})


def _live(snapshot: Snapshot, kind: Kind, name: str) -> ObjectFact | None:
    return next((it for it in snapshot.objects if it.kind is kind and it.name == name), None)


def _is_as_planned(live: ObjectFact, manifest: Manifest) -> bool:
    return live.digest == _digest(manifest) and live.content == content_digest(live.kind, manifest)


def _digest(manifest: Manifest) -> str:
    return str(manifest["metadata"]["annotations"][group.ANNOTATION_DIGEST])
