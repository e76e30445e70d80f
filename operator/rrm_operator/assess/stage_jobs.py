"""The questions about prepare and export Jobs: work without GPUs, before they are asked for and after."""

from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.run import Result, Role
from rrm_operator.assess.checks import template_faults
from rrm_operator.assess.failures import Failure, job_failure
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.pod_troubles import (
    capacity_trouble,
    describe,
    invalid_image,
    is_stuck,
    pod_trouble,
    stuck_remedy,
)
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.standing import Standing
from rrm_operator.assess.volumes import has_lost_volume
from rrm_operator.facts import JobFact, PodRole

_PODLESS_SECONDS: Final = 10.0
"""How long a Job may be without a pod before it is told: usually the pod comes at once."""
_REMEDIES: Final = {
    Reason.UNSCHEDULABLE: "make room, or correct spec.jobs.resources or spec.jobs.nodeSelector",
    Reason.IMAGE_UNAVAILABLE: "correct spec.image or spec.imagePullSecrets",
    Reason.VOLUME_UNAVAILABLE: "correct the volume",
    Reason.INVALID_SPEC: "make what is named, or correct the spec",
}


def is_exporting(situation: Situation) -> Standing | None:
    """Return that a finished attempt is being exported."""
    if situation.trained is None:
        return None
    job = situation.export_job
    return (
        is_refused(situation)
        or _does_not_leave(situation, PodRole.EXPORT)
        or _has_invalid_image(situation, PodRole.EXPORT)
        or _waits_too_long(situation, job)
        or Standing(Stage.EXPORTING, Reason.EXPORTING, _job_message(situation, job, Role.EXPORT))
    )


def is_preparing(situation: Situation) -> Standing | None:
    """Return that the data is being prepared, or why it cannot be."""
    if situation.prepared is not None:
        return None
    failure, job = prepare_failure(situation), situation.prepare_job
    if failure is not None and not situation.retried:
        return Standing(Stage.STALLED, failure.reason, failure.message)
    return (
        _does_not_leave(situation, PodRole.PREPARE)
        or _has_invalid_image(situation, PodRole.PREPARE)
        or _waits_too_long(situation, job)
        or Standing(Stage.PREPARING, Reason.PREPARING, _job_message(situation, job, Role.PREPARE))
    )


def _does_not_leave(situation: Situation, role: PodRole) -> Standing | None:
    """Return that a pod which was deleted is still there, or one that nothing owns: it might still write."""
    stuck = [pod for pod in situation.pods(role) if is_stuck(situation, pod)]
    if not stuck:
        return None
    message = f"waiting until pod {stuck[0].name} is gone; {stuck_remedy(situation, stuck[:1])}"
    return Standing(Stage.STALLED, Reason.PODS_STUCK, message)


def _waits_too_long(situation: Situation, job: JobFact | None) -> Standing | None:
    """Return what keeps a Job's pod from running for too long; it holds no GPUs, and goes on by itself."""
    due = job_due(situation, job)
    if job is None or due is None or situation.now < due:
        return None
    pods = situation.pods(PodRole(job.role.value), owner=job.name)
    # What has a node and its volumes, and of which the kubelet says nothing, waits for its image.
    slow = next((pod for pod in pods if pod.scheduled_time), None)
    silent = Reason.UNSCHEDULABLE if slow is None else Reason.IMAGE_UNAVAILABLE
    reason = capacity_trouble(situation, pods) or silent
    limit = situation.training.spec.policy.startup_deadline_seconds
    words = _job_message(situation, job, job.role)
    if slow is not None and pod_trouble(situation, pods) is None:
        words = f"pod {slow.name} has a node and has not started; {describe(situation, slow)}"
    message = (
        f"the {job.role} pod has not run for {limit} s (spec.policy.startupDeadlineSeconds): {words}; "
        f"it goes on by itself once the pod runs: {_REMEDIES[reason]}"
    )
    return Standing(Stage.STALLED, reason, message)


def job_due(situation: Situation, job: JobFact | None) -> float | None:
    """Return when the pod of a Job must run; None once it does."""
    if job is None or job.finished_time:
        return None
    pods = situation.pods(PodRole(job.role.value), owner=job.name)
    began = seconds_of(job.creation_time)
    if began is None or any(pod.phase not in ("Pending", "Unknown") for pod in pods):
        return None
    return began + situation.training.spec.policy.startup_deadline_seconds


def _job_message(situation: Situation, job: JobFact | None, role: Role) -> str:
    pods = situation.pods(PodRole(role.value))
    trouble = pod_trouble(situation, pods)
    wait = until_pod_is_missed(situation, job)
    if trouble is None and job is not None and wait is not None and wait <= 0:
        namespace = situation.training.metadata.namespace
        why = f"`kubectl describe job {job.name} --namespace {namespace}` says why"
        return f"the pod of Job {job.name} has not been created; {why}"
    return trouble or f"the {role} Job is at work"


def until_pod_is_missed(situation: Situation, job: JobFact | None) -> float | None:
    """Return in how many seconds a Job is said to lack its pod, not above 0 = now; None if it lacks none."""
    made = seconds_of(job.creation_time) if job is not None and not job.finished_time else None
    if job is None or made is None or situation.pods(PodRole(job.role.value), owner=job.name):
        return None
    return made + _PODLESS_SECONDS - situation.now


def prepare_failure(situation: Situation) -> Failure | None:
    """Return why preparing failed for the spec of now."""
    record = situation.prepare_record
    if has_lost_volume(situation.training, situation.snapshot):
        return None  # It is done again, however it ended.
    if record is not None and record.result is Result.DONE and record.prepared is not None:
        return None  # However long ago: as long as it counted as failed, no retry would count as answered.
    return job_failure(situation, situation.prepare_job, record)


def export_failure(situation: Situation) -> Failure | None:
    """Return why exporting failed, also after the Job that failed was cleaned up."""
    if situation.trained is None:
        return None
    failure = job_failure(situation, situation.export_job, situation.export_record)
    known = situation.training.status.failure
    if failure is not None or situation.export_job is not None or known is None:
        return failure
    if known.reason != Reason.EXPORT_FAILED or known.input_digest != situation.export_input:
        return None
    return Failure(Reason.EXPORT_FAILED, known.message, known.exit_code, known.log_tail or "")


def is_refused(situation: Situation) -> Standing | None:
    """Return what makes it impossible to plan pods; what already runs goes on regardless."""
    faults = template_faults(situation.training.spec)
    if faults:
        return Standing(Stage.STALLED, Reason.INVALID_SPEC, "; ".join(faults))
    if situation.snapshot.refused is not None:
        return Standing(Stage.STALLED, Reason.INVALID_SPEC, situation.snapshot.refused)
    return None


def _has_invalid_image(situation: Situation, role: PodRole) -> Standing | None:
    """Return what the kubelet says about an image name that no waiting can make right."""
    current = {it.name for it in (situation.prepare_job, situation.export_job) if it}
    words = invalid_image(tuple(pod for pod in situation.pods(role) if pod.owner in current))
    if words is None:
        return None
    return Standing(
        Stage.STALLED, Reason.IMAGE_UNAVAILABLE, f"{words}; {_REMEDIES[Reason.IMAGE_UNAVAILABLE]}"
    )
