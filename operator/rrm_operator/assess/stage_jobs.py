"""The questions about prepare and export Jobs: work without GPUs, before they are asked for and after."""

from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.run import Result, Role
from rrm_operator.assess.checks import capacity_trouble, invalid_image, pod_trouble, template_faults
from rrm_operator.assess.failures import Failure, job_failure
from rrm_operator.assess.moments import seconds_of
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.standing import Standing
from rrm_operator.facts import JobFact, PodRole

_PODLESS_SECONDS: Final = 10.0
"""How long a Job may be without a pod before it is told: usually the pod comes at once."""


def is_exporting(situation: Situation) -> Standing | None:
    """Return that a finished attempt is being exported."""
    if situation.trained is None:
        return None
    job = situation.export_job
    return (
        is_refused(situation)
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
        _has_invalid_image(situation, PodRole.PREPARE)
        or _waits_too_long(situation, job)
        or Standing(Stage.PREPARING, Reason.PREPARING, _job_message(situation, job, Role.PREPARE))
    )


def _waits_too_long(situation: Situation, job: JobFact | None) -> Standing | None:
    """Return what keeps a Job's pod from running for too long; it holds no GPUs, and goes on by itself."""
    due = job_due(situation, job)
    if job is None or due is None or situation.now < due:
        return None
    pods = situation.pods(PodRole(job.role.value), owner=job.name)
    reason = capacity_trouble(pods) or Reason.UNSCHEDULABLE
    limit = situation.training.spec.policy.startup_deadline_seconds
    words = _job_message(situation, job, job.role)
    message = f"the {job.role} pod has not run for {limit} s (spec.policy.startupDeadlineSeconds): {words}"
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
    trouble = pod_trouble(situation.pods(PodRole(role.value)))
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
    return None if words is None else Standing(Stage.STALLED, Reason.IMAGE_UNAVAILABLE, words)
