"""How an attempt, a prepare Job or an export Job went wrong: in its own words first, else by what is seen.

record written?  --yes-->  its reason, message, exit code, last log lines
      | no
head pod gone, leaving or ended; RayCluster gone; Ray no longer knows the job  -->  ClusterLost
Ray says the job ended, and 10 s later there is still no record  -->  TrainingFailed
Ray has not answered for 300 s and the head is not ready  -->  ClusterLost
"""

from dataclasses import dataclass, replace
from typing import Final

from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Record, Result
from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import JobFact, PodFact, PodRole, RayJobFact, RayJobState

RECORD_GRACE_SECONDS: Final = 10.0
"""How long a record may take after its process has ended: two watches may run at different speeds."""
LOST_AFTER_SECONDS: Final = 300.0
"""How long Ray may be silent before a second witness decides."""

_KEPT: Final = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.DATA_INVALID,
        Reason.MODEL_UNAVAILABLE,
        Reason.VOLUME_UNAVAILABLE,
        Reason.CHECKPOINT_MISMATCH,
        Reason.PLUGIN_FAILED,
        Reason.REWARD_COLLAPSED,
        Reason.KL_TOO_HIGH,
        Reason.PARSE_RATE_LOW,
        Reason.RESPONSES_TRUNCATED,
        Reason.ZERO_VARIANCE,
        Reason.NOT_LEARNING,
    }
)
"""Reasons that a process may give and that say more than that it failed."""
_BY_EXIT_CODE: Final = {
    ExitCode.DATA: Reason.DATA_INVALID,
    ExitCode.CONFIGURATION: Reason.INVALID_SPEC,
    ExitCode.MODEL: Reason.MODEL_UNAVAILABLE,
    ExitCode.PLUGIN: Reason.PLUGIN_FAILED,
}


@dataclass(frozen=True)
class Failure:
    """Why something does not go on."""

    reason: Reason
    message: str
    exit_code: int | None = None
    log_tail: str = ""


def attempt_failure(situation: Situation) -> Failure | None:
    """Return why the newest submitted attempt is over; None while it runs, and if it reached its end."""
    if situation.counted == 0 or situation.trained is not None:
        return None
    if situation.cluster is not None and not situation.submitted:
        return None  # The next attempt has begun.
    record = situation.train_record
    if record is not None:
        return _from_train_record(situation, record)
    if situation.cluster is None:
        return _vanished(situation) if situation.snapshot.kuberay_installed else None
    return _lost_head(situation) or _ended_without_record(situation) or _silent(situation)


def early_loss(situation: Situation) -> Failure | None:
    """Return how a RayCluster lost its head for good before its attempt was counted.

    KubeRay makes a head anew only until all pods were ready once: then the workers wait for none.
    """
    cluster = situation.cluster
    if cluster is None or situation.submitted or not cluster.provisioned:
        return None
    return _lost_head(situation)


def job_failure(situation: Situation, job: JobFact | None, record: Record | None) -> Failure | None:
    """Return why a prepare or export Job failed; None while it runs or its record is awaited."""
    if job is None or not job.finished_time:
        return None
    fallback = Reason.PREPARE_FAILED if job.role.value == PodRole.PREPARE else Reason.EXPORT_FAILED
    pod = next(iter(situation.pods(PodRole(job.role.value), owner=job.name)), None)
    if record is not None and record.result is not Result.DONE and _is_about(record, job, pod):
        return _with_remedy(_from_record(record, fallback), job, situation)
    if situation.now - (seconds_of(job.finished_time) or 0) < RECORD_GRACE_SECONDS:
        return None
    code = pod.exit_code if pod is not None else None
    words = [
        job.message if job.failed else "it ended without a record",
        _last_words(pod),
        *_unreadable(situation),
        _more_memory(pod),
    ]
    failure = Failure(
        reason=_BY_EXIT_CODE.get(ExitCode(code), fallback) if code in set(ExitCode) else fallback,
        message=f"Job {job.name}: " + "; ".join(word for word in words if word),
        exit_code=code,
    )
    return _with_remedy(failure, job, situation)


def _with_remedy(failure: Failure, job: JobFact, situation: Situation) -> Failure:
    """Return a failure that no edit of the spec is needed for, with what makes the Job run again."""
    if failure.reason not in (Reason.PREPARE_FAILED, Reason.EXPORT_FAILED):
        return failure
    namespace = situation.training.metadata.namespace
    remedy = f"`kubectl delete job {job.name} --namespace {namespace}` runs it again"
    return replace(failure, message=f"{failure.message}; {remedy}")


def _more_memory(pod: PodFact | None) -> str:
    """Return what to do about a process that was killed for its memory."""
    if pod is None or pod.termination_reason != "OOMKilled":
        return ""
    return "it needs more memory than its limit: raise limits.memory in spec.jobs.resources"


def _is_about(record: Record, job: JobFact, pod: PodFact | None) -> bool:
    """Return whether a record can be this Job's: an earlier Job may have answered the same intent."""
    if job.succeeded:
        return record.exit_code == 0
    return pod is None or pod.exit_code in (None, record.exit_code)


def _from_train_record(situation: Situation, record: Record) -> Failure:
    if record.result is Result.FAILED:
        return _from_record(record, Reason.TRAINING_FAILED)
    if record.result is Result.STOPPED:
        return Failure(Reason.TRAINING_FAILED, f"stopped before its end: {record.message}", record.exit_code)
    trained = record.trained
    saved = trained.checkpoints.latest_step if trained is not None else None
    planned = trained.total_steps if trained is not None else "unknown"
    return Failure(
        Reason.TRAINING_FAILED,
        f"attempt {situation.counted} ended with 0, but its last whole checkpoint is of step {saved}, "
        f"not of step {planned}",
        record.exit_code,
        record.log_tail,
    )


def _from_record(record: Record, fallback: Reason) -> Failure:
    reason = record.reason if record.reason in _KEPT else fallback
    return Failure(reason, record.message, record.exit_code, record.log_tail)


def _vanished(situation: Situation) -> Failure:
    """Return the failure of an attempt whose RayCluster is gone or going; status may still know why."""
    known, remembered = situation.training.status.failure, situation.counted_status
    if known is not None and remembered is not None and remembered.end_time and known.reason in set(Reason):
        return Failure(Reason(known.reason), known.message, known.exit_code, known.log_tail or "")
    name = remembered.cluster if remembered is not None else "its RayCluster"
    return Failure(Reason.CLUSTER_LOST, f"{name} vanished while attempt {situation.counted} was running")


def _lost_head(situation: Situation) -> Failure | None:
    cluster = situation.cluster
    assert cluster is not None
    heads = situation.pods(PodRole.HEAD, owner=cluster.name)
    if not heads:
        # KubeRay must have seen it too: one missing pod event alone must not end a healthy attempt.
        return None if cluster.head_ready else _lost(f"the head pod of {cluster.name} is gone", None)
    if all(pod.deleting for pod in heads):
        return _lost(f"the head pod {heads[0].name} is being deleted", heads[0])
    for pod in heads:
        if pod.phase in ("Failed", "Succeeded"):
            return _lost(f"the head pod {pod.name} has ended", pod)
    return None


def _lost(what: str, pod: PodFact | None) -> Failure:
    words = _last_words(pod)
    code = pod.exit_code if pod is not None else None
    return Failure(Reason.CLUSTER_LOST, what + (f": {words}" if words else ""), code)


def _ended_without_record(situation: Situation) -> Failure | None:
    job = situation.snapshot.ray_job
    if job is None:
        return None
    if job.state is RayJobState.ABSENT and situation.progressed:
        # The head's container was restarted: with it Ray's memory, and the parent that writes records, went.
        return _lost(f"Ray no longer knows the job {job.submission_id}", None)
    if situation.now - job.seen_at >= RECORD_GRACE_SECONDS and job.state in (
        RayJobState.FAILED,
        RayJobState.STOPPED,
        RayJobState.SUCCEEDED,
    ):
        said = "".join(f"; {words}" for words in (job.message, *_unreadable(situation)) if words)
        return Failure(
            Reason.TRAINING_FAILED,
            f"Ray says {job.state}, without a record of the trainer{said}",
            job.exit_code,
        )
    return None


def _silent(situation: Situation) -> Failure | None:
    job, cluster = situation.snapshot.ray_job, situation.cluster
    if job is None or cluster is None or cluster.head_ready or not _is_silent(job, situation.now):
        return None
    since = written(job.unreachable_since or 0)
    return _lost(
        f"Ray has not answered since {since} and the head is not ready ({cluster.head_reason})", None
    )


def _unreadable(situation: Situation) -> tuple[str, ...]:
    return tuple(f"its answer cannot be read: {why}" for why in situation.answers.unreadable)


def _is_silent(job: RayJobFact, now: float) -> bool:
    return job.unreachable_since is not None and now - job.unreachable_since >= LOST_AFTER_SECONDS


def _last_words(pod: PodFact | None) -> str:
    if pod is None:
        return ""
    code = f"exit code {pod.exit_code}" if pod.exit_code is not None else ""
    said = (pod.termination_message or "").strip()[-1024:]
    return ", ".join(word for word in (code, pod.termination_reason or "", said) if word)
