"""The stage of a training: an ordered list of small questions, the first that has an answer decides.

                                                              record, head lost, edited
    Preparing -> Provisioning -> Starting -> Training -> Releasing -> Exporting -> Succeeded
        |                                                    |
      Stalled (a person must act)                          Failed (released first)

Later stages (Stopping, Suspended, BackingOff, Evaluating) are further questions in `_QUESTIONS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.run import Result, Role
from rrm_operator.assess.checks import invalid_image, pod_trouble, template_faults
from rrm_operator.assess.failures import Failure, attempt_failure, early_loss, job_failure
from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.situation import RAY_ROLES, Situation
from rrm_operator.facts import JobFact, PodRole, RayClusterFact

_NAMED_PODS: Final = 3
_PODLESS_SECONDS: Final = 10.0
"""How long a Job may be without a pod before it is told: usually the pod comes at once."""
KUBERAY_INSTALL: Final = (
    "helm install kuberay-operator kuberay-operator --repo https://ray-project.github.io/kuberay-helm/"
)


@dataclass(frozen=True)
class Finding:
    """Where a training is and why, in one word and one sentence."""

    stage: Stage
    reason: Reason
    message: str


def find_stage(situation: Situation) -> Finding:
    """Return where the training is."""
    answers = (question(situation) for question in _QUESTIONS)
    found = next(answer for answer in answers if answer is not None)
    words = situation.snapshot.forbidden
    if words is None or found.stage in (Stage.STALLED, Stage.FAILED, Stage.SUCCEEDED):
        return found
    return replace(found, message=f"{found.message}; the API server forbids a write, tried again: {words}")


def leftover_clusters(situation: Situation) -> tuple[RayClusterFact, ...]:
    """Return the RayClusters that nobody wants any more; those that are being deleted included."""
    wanted = _wanted_cluster(situation)
    return tuple(it for it in situation.snapshot.clusters if wanted is None or it.name != wanted.name)


def is_replaced(situation: Situation) -> bool:
    """Return whether the newest attempt was ended by an edit and by nothing else."""
    if situation.counted == 0 or situation.train_record is not None:
        return False
    if situation.submitted:
        return not situation.keeps_cluster
    remembered = situation.counted_status  # Its RayCluster is going or gone, and can no longer tell.
    return remembered is not None and remembered.reason == Reason.CLUSTER_RELEASED


def cluster_is_ready(situation: Situation) -> bool:
    """Return whether head and all workers are ready; a RayCluster's own `state` does not tell."""
    cluster, nodes = situation.cluster, situation.training.spec.workers.nodes
    return cluster is not None and cluster.head_ready and cluster.ready_workers >= nodes


def _wanted_cluster(situation: Situation) -> RayClusterFact | None:
    over = situation.trained is not None or attempt_failure(situation) or early_loss(situation)
    return situation.cluster if situation.keeps_cluster and not over else None


def _is_releasing(situation: Situation) -> Finding | None:
    wanted = _wanted_cluster(situation)
    pods = situation.pods(*RAY_ROLES)
    remaining = [pod.name for pod in pods if wanted is None or pod.owner != wanted.name]
    if not remaining and not leftover_clusters(situation):
        return None
    names = ", ".join(remaining[:_NAMED_PODS])
    more = len(remaining) - _NAMED_PODS
    waits = "; waiting until its pods are gone" + (f": {names}" if names else "")
    waits += f" and {more} more" if more > 0 else ""
    return Finding(Stage.RELEASING, Reason.RELEASING, _why_released(situation) + waits)


def _why_released(situation: Situation) -> str:
    failure, lost = attempt_failure(situation), early_loss(situation)
    if situation.trained is not None:
        return f"attempt {situation.counted} reached its last step"
    if failure is not None and not is_replaced(situation):
        return f"attempt {situation.counted} failed: {failure.message}"
    if lost is not None:
        return f"{lost.message}; the RayCluster is made anew"
    return "the RayCluster is replaced" if situation.cluster is not None else "the RayCluster was deleted"


def _is_exporting(situation: Situation) -> Finding | None:
    if situation.trained is None:
        return None
    if not situation.training.spec.export.enabled:
        return Finding(Stage.SUCCEEDED, Reason.SUCCEEDED, f"trained {situation.trained.step} steps")
    record = situation.export_record
    if record is not None and record.exported is not None and record.result is Result.DONE:
        steps, path = situation.trained.step, record.exported.path
        return Finding(Stage.SUCCEEDED, Reason.SUCCEEDED, f"trained {steps} steps; exported to {path}")
    failure = job_failure(situation, situation.export_job, record)
    if failure is not None:
        return Finding(Stage.FAILED, Reason.EXPORT_FAILED, failure.message)
    return (
        _is_refused(situation)
        or _has_invalid_image(situation, PodRole.EXPORT)
        or Finding(
            Stage.EXPORTING, Reason.EXPORTING, _job_message(situation, situation.export_job, Role.EXPORT)
        )
    )


def _has_failed(situation: Situation) -> Finding | None:
    failure = attempt_failure(situation)
    if failure is None or situation.edited_since:
        return None
    return Finding(Stage.FAILED, failure.reason, failure.message)


def _lacks_kuberay(situation: Situation) -> Finding | None:
    over = situation.trained is not None or (situation.train_record and not situation.edited_since)
    if situation.snapshot.kuberay_installed or over:
        return None
    message = f"the kind RayCluster (ray.io/v1) does not exist; install KubeRay: {KUBERAY_INSTALL}"
    return Finding(Stage.STALLED, Reason.KUBERAY_MISSING, message)


def _is_on_cluster(situation: Situation) -> Finding | None:
    cluster = _wanted_cluster(situation)
    if cluster is None:
        return None
    if situation.submitted:
        return _is_submitted(situation)
    if cluster_is_ready(situation):
        return Finding(Stage.STARTING, Reason.STARTING, f"{cluster.name} is ready; submitting the job")
    return _has_invalid_image(situation, *RAY_ROLES) or Finding(
        Stage.PROVISIONING, Reason.PROVISIONING, _provisioning_message(situation, cluster)
    )


def _is_submitted(situation: Situation) -> Finding:
    progress = situation.progress
    if progress is not None and situation.progressed and progress.step > progress.from_step:
        message = f"attempt {situation.counted} is training"
        return Finding(Stage.TRAINING, Reason.TRAINING, message + _silence(situation))
    error = situation.snapshot.not_submitted
    if error is not None and not situation.progressed:
        message = f"attempt {situation.counted} is tried to be submitted again; the last time: {error}"
        return Finding(Stage.STARTING, Reason.STARTING, message)
    message = f"attempt {situation.counted} was submitted; waiting for its first step"
    return Finding(Stage.STARTING, Reason.STARTING, message + _silence(situation))


def _silence(situation: Situation) -> str:
    """Return since when and why Ray is silent, unless the trainer has reported since."""
    job, progress = situation.snapshot.ray_job, situation.progress
    if job is None or job.unreachable_since is None:
        return ""
    reported = seconds_of(progress.time) if progress is not None and situation.progressed else None
    if reported is not None and reported > job.unreachable_since:
        return ""
    return f"; Ray has not answered since {written(job.unreachable_since)}: {job.silence}"


def _provisioning_message(situation: Situation, cluster: RayClusterFact) -> str:
    trouble = pod_trouble(situation.pods(*RAY_ROLES, owner=cluster.name))
    if trouble is None and cluster.replica_failure is not None:
        return f"KubeRay cannot make all pods of {cluster.name}: {cluster.replica_failure}"
    waits = "its workers" if cluster.head_ready else "its head"
    return trouble or f"{cluster.name} was made; waiting for {waits}"


def _is_refused(situation: Situation) -> Finding | None:
    """Return what makes it impossible to plan pods; what already runs goes on regardless."""
    faults = template_faults(situation.training.spec)
    if faults:
        return Finding(Stage.STALLED, Reason.INVALID_SPEC, "; ".join(faults))
    if situation.snapshot.refused is not None:
        return Finding(Stage.STALLED, Reason.INVALID_SPEC, situation.snapshot.refused)
    return None


def _waits_for_deletion(situation: Situation) -> Finding | None:
    claim = situation.snapshot.claim
    objects = situation.snapshot.objects
    leaving = [it.name for it in objects if it.deleting or it in situation.inherited]
    if claim is not None and claim.deleting:
        leaving.append(claim.name)
    if not leaving:
        return None
    names = ", ".join(leaving)
    return Finding(
        Stage.PENDING,
        Reason.PENDING,
        f"waiting until Kubernetes has removed {names}, left by an earlier training",
    )


def _lacks_volume(situation: Situation) -> Finding | None:
    claim = situation.snapshot.claim
    if claim is None or claim.phase != "Lost":
        return None
    message = f"the volume behind claim {claim.name} is lost; restore it, or create a new training"
    return Finding(Stage.STALLED, Reason.VOLUME_UNAVAILABLE, message)


def _is_preparing(situation: Situation) -> Finding | None:
    if situation.prepared is not None:
        return None
    failure = prepare_failure(situation)
    if failure is not None:
        return Finding(Stage.STALLED, failure.reason, failure.message)
    invalid = _has_invalid_image(situation, PodRole.PREPARE)
    if invalid is not None:
        return invalid
    message = _job_message(situation, situation.prepare_job, Role.PREPARE)
    return Finding(Stage.PREPARING, Reason.PREPARING, message)


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
    return job_failure(situation, situation.prepare_job, situation.prepare_record)


def _has_invalid_image(situation: Situation, *roles: PodRole) -> Finding | None:
    current = {it.name for it in (situation.prepare_job, situation.export_job, situation.cluster) if it}
    words = invalid_image(tuple(pod for pod in situation.pods(*roles) if pod.owner in current))
    return None if words is None else Finding(Stage.STALLED, Reason.IMAGE_UNAVAILABLE, words)


def _needs_cluster(situation: Situation) -> Finding:
    return Finding(Stage.PROVISIONING, Reason.PROVISIONING, "the data is prepared; making the RayCluster")


_QUESTIONS: Final[tuple[Callable[[Situation], Finding | None], ...]] = (
    _lacks_kuberay,  # RayClusters cannot be seen, which says nothing about them.
    _is_releasing,  # Fencing: nothing else happens while pods of a past attempt can still write.
    _is_exporting,  # The training is complete; this also finds that all is done.
    _has_failed,  # and nobody has edited the spec since.
    _is_on_cluster,
    _is_refused,  # From here on pods would have to be planned.
    _waits_for_deletion,
    _lacks_volume,
    _is_preparing,
    _needs_cluster,
)
