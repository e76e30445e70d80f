"""The stage of a training: an ordered list of small questions, the first that has an answer decides.

                                                            stop, record, head lost, edited
    Preparing -> Provisioning -> Starting -> Training -> Stopping -> Releasing -> Exporting -> Succeeded
        |              ^                                                 |
     Stalled           +-------------------- BackingOff <----------------+--> Suspended, Stalled, Failed

`Stalled`: a person must act; `Failed`: for good, unless the spec changes or a person tries again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rrm_api.conditions import ConditionStatus, ConditionType, Reason, Stage
from rrm_api.run import Result
from rrm_operator.assess.consequences import GiveUp, Restart, consequence
from rrm_operator.assess.deadlines import is_overdue
from rrm_operator.assess.endings import attempt_ending
from rrm_operator.assess.failures import retry_hint
from rrm_operator.assess.moments import written
from rrm_operator.assess.pod_troubles import pod_trouble
from rrm_operator.assess.progress import checkpoints_status
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.assess.stage_ends import is_releasing, is_stopping
from rrm_operator.assess.stage_jobs import (
    export_failure,
    is_exporting,
    is_preparing,
    is_refused,
)
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.wanted import cluster_is_ready, is_running, next_attempt, wanted_cluster
from rrm_operator.facts import ClaimFact, RayClusterFact

KUBERAY_INSTALL: Final = (
    "helm install kuberay-operator kuberay-operator --repo https://ray-project.github.io/kuberay-helm/"
)


def find_stage(situation: Situation) -> Standing:
    """Return where the training is."""
    answers = (question(situation) for question in _QUESTIONS)
    found = next(answer for answer in answers if answer is not None)
    words = situation.snapshot.forbidden
    if words is None or found.stage in (Stage.STALLED, Stage.FAILED, Stage.SUCCEEDED):
        return found
    return replace(found, message=f"{found.message}; the API server forbids a write, tried again: {words}")


def _has_succeeded(situation: Situation) -> Standing | None:
    """What has succeeded stays so, whatever is cleaned up or edited afterwards."""
    said = situation.training.status.condition(ConditionType.SUCCEEDED)
    if said is None or said.status != ConditionStatus.TRUE:
        return None
    return Standing(Stage.SUCCEEDED, Reason.SUCCEEDED, said.message)


def _is_done(situation: Situation) -> Standing | None:
    if situation.trained is None:
        return None
    if not situation.training.spec.export.enabled:
        return Standing(Stage.SUCCEEDED, Reason.SUCCEEDED, f"trained {situation.trained.step} steps")
    record = situation.export_record
    if record is None or record.exported is None or record.result is not Result.DONE:
        return None
    steps, path = situation.trained.step, record.exported.path
    return Standing(Stage.SUCCEEDED, Reason.SUCCEEDED, f"trained {steps} steps; exported to {path}")


def _has_failed(situation: Situation) -> Standing | None:
    if is_overdue(situation):
        limit = situation.training.spec.policy.active_deadline_seconds
        message = (
            f"active for {limit} s (spec.policy.activeDeadlineSeconds); raise it, or {retry_hint(situation)}"
        )
        return Standing(Stage.FAILED, Reason.DEADLINE_EXCEEDED, message)
    failure = export_failure(situation)
    if failure is not None and not situation.retried:
        return Standing(Stage.FAILED, Reason.EXPORT_FAILED, failure.message)
    return _given_up(situation, Stage.FAILED)


def _given_up(situation: Situation, stage: Stage) -> Standing | None:
    follows = consequence(situation)
    if not isinstance(follows, GiveUp) or follows.stage is not stage or situation.has_next_cluster:
        return None
    return Standing(stage, follows.failure.reason, follows.failure.message)


def _is_suspended(situation: Situation) -> Standing | None:
    if not situation.training.spec.suspend:
        return None
    saved = checkpoints_status(situation)
    kept = f"step {saved.latest_step} is saved" if saved is not None else "nothing is saved yet"
    message = f"suspended by spec.suspend; no pods, {kept}"
    return Standing(Stage.SUSPENDED, Reason.SUSPENDED, message)


def _has_no_room(situation: Situation) -> Standing | None:
    return _given_up(situation, Stage.STALLED)


def _is_backing_off(situation: Situation) -> Standing | None:
    follows, ending = consequence(situation), attempt_ending(situation)
    if (
        ending is None
        or not isinstance(follows, Restart)
        or situation.has_next_cluster
        or situation.now >= follows.at
    ):
        return None
    message = (
        f"attempt {situation.counted} ended ({ending.reason}: {ending.message}); attempt "
        f"{situation.counted + 1} begins at {written(follows.at)}"
    )
    return Standing(Stage.BACKING_OFF, Reason.BACKING_OFF, message)


def _lacks_kuberay(situation: Situation) -> Standing | None:
    given_up = isinstance(consequence(situation), GiveUp) or is_overdue(situation)
    over = situation.trained is not None or given_up
    if situation.snapshot.kuberay_installed or over:
        return None
    message = f"the kind RayCluster (ray.io/v1) does not exist; install KubeRay: {KUBERAY_INSTALL}"
    return Standing(Stage.STALLED, Reason.KUBERAY_MISSING, message)


def _is_on_cluster(situation: Situation) -> Standing | None:
    cluster = wanted_cluster(situation)
    if cluster is None:
        return None
    if is_running(situation):
        return _is_submitted(situation)
    if cluster.suspended:
        ending = attempt_ending(situation)
        before = f"attempt {situation.counted} ended: {ending.message}; " if ending is not None else ""
        message = f"{before}{cluster.name} waits in its queue until there is quota for all its pods"
        return Standing(Stage.PROVISIONING, Reason.QUOTA_PENDING, message)
    leaving = any(pod.deleting for pod in situation.pods(*RAY_ROLES, owner=cluster.name))
    if cluster_is_ready(situation) and not leaving:
        return Standing(Stage.STARTING, Reason.STARTING, _starting_message(cluster, next_attempt(situation)))
    message = _provisioning_message(situation, cluster)
    return Standing(Stage.PROVISIONING, Reason.PROVISIONING, message)


def _is_submitted(situation: Situation) -> Standing:
    progress = situation.progress
    if progress is not None and situation.progressed and progress.step > progress.from_step:
        message = f"attempt {situation.counted} is training"
        return Standing(Stage.TRAINING, Reason.TRAINING, message + _silence(situation))
    error = situation.snapshot.not_submitted
    if error is not None and not situation.progressed:
        message = f"attempt {situation.counted} is tried to be submitted again; the last time: {error}"
        return Standing(Stage.STARTING, Reason.STARTING, message)
    message = _starting_message(situation.cluster, situation.counted)
    return Standing(Stage.STARTING, Reason.STARTING, message + _silence(situation))


def _starting_message(cluster: RayClusterFact | None, attempt: int | None) -> str:
    """Return the same words before and after the submission: a status that says nothing new costs a write."""
    where = cluster.name if cluster is not None else "its RayCluster"
    return f"attempt {attempt} starts on {where}; waiting for its first step"


def _silence(situation: Situation) -> str:
    """Return since when and why Ray is silent, unless the trainer has reported since."""
    job, seen_at = situation.snapshot.ray_job, situation.seen_at
    if job is None or job.unreachable_since is None:
        return ""
    if seen_at is not None and seen_at > job.unreachable_since:
        return ""
    return f"; Ray has not answered since {written(job.unreachable_since)}: {job.silence}"


def _provisioning_message(situation: Situation, cluster: RayClusterFact) -> str:
    trouble = pod_trouble(situation, situation.pods(*RAY_ROLES, owner=cluster.name))
    if trouble is None and cluster.replica_failure is not None:
        return f"KubeRay cannot make all pods of {cluster.name}: {cluster.replica_failure}"
    waits = "its workers" if cluster.head_ready else "its head"
    return trouble or f"{cluster.name} was made; waiting for {waits}"


def _waits_for_deletion(situation: Situation) -> Standing | None:
    claim = situation.snapshot.claim
    objects = situation.snapshot.objects
    leaving = [it.name for it in objects if it.deleting or it in situation.inherited]
    if claim is not None and claim.deleting:
        leaving.append(claim.name)
    if not leaving:
        return None
    left = ", left by an earlier training" if situation.inherited else ""
    message = f"waiting until Kubernetes has removed {', '.join(leaving)}{left}"
    return Standing(Stage.PENDING, Reason.PENDING, message)


def _lacks_volume(situation: Situation) -> Standing | None:
    volume, claim = situation.training.spec.checkpoints.volume, situation.snapshot.claim
    message = None
    if volume.claim_name is not None and situation.snapshot.claim_is_missing:
        message = (
            f"expected a claim {volume.claim_name} (spec.checkpoints.volume.claimName) in namespace "
            f"{situation.training.metadata.namespace}, found none; create it, or correct the name"
        )
    elif claim is not None and claim.phase == "Lost":
        message = f"the volume behind claim {claim.name} is lost; restore it, or create a new training"
    elif claim is not None and volume.claim_name is not None and not _is_shared(situation, claim):
        message = (
            f"expected claim {claim.name} to be ReadWriteMany, as {situation.training.spec.workers.nodes} "
            f"nodes write to it, found {', '.join(claim.access_modes)}; name another claim"
        )
    return None if message is None else Standing(Stage.STALLED, Reason.VOLUME_UNAVAILABLE, message)


def _is_shared(situation: Situation, claim: ClaimFact) -> bool:
    return situation.training.spec.workers.nodes == 1 or "ReadWriteMany" in claim.access_modes


def _needs_cluster(situation: Situation) -> Standing:
    return Standing(Stage.PROVISIONING, Reason.PROVISIONING, "the data is prepared; making the RayCluster")


_QUESTIONS: Final[tuple[Callable[[Situation], Standing | None], ...]] = (
    _has_succeeded,
    _lacks_kuberay,  # RayClusters cannot be seen, which says nothing about them.
    is_stopping,
    is_releasing,  # Fencing: nothing else happens while pods of a past attempt can still write.
    _is_done,
    _has_failed,  # and nobody has edited the spec or tried again since.
    _is_suspended,
    _has_no_room,
    is_exporting,
    _is_backing_off,
    _is_on_cluster,
    is_refused,  # From here on pods would have to be planned.
    _waits_for_deletion,
    _lacks_volume,
    is_preparing,
    _needs_cluster,
)
