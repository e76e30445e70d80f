"""What shall be done about an assessment: `plan` returns objects to have, to delete, and a job to submit.

Pure, like `assess`: the same assessment always gives the same plan.
"""

from dataclasses import dataclass, replace
from typing import Final

from rrm_api import group
from rrm_api.conditions import Stage
from rrm_api.run import Role, digest_of
from rrm_operator.assess import Assessment
from rrm_operator.assess.deadlines import finished_due
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage_jobs import export_failure, prepare_failure
from rrm_operator.assess.stopping import stop_order
from rrm_operator.assess.volumes import has_lost_volume
from rrm_operator.assess.wanted import leftover_clusters
from rrm_operator.facts import Kind, Manifest, PodRole, RayJobState
from rrm_operator.keys import RayKeys
from rrm_operator.plan.checkpoints import plan_claim
from rrm_operator.plan.disruption import plan_disruption_budget
from rrm_operator.plan.export import plan_export
from rrm_operator.plan.names import progress_name, submission_id, with_annotations
from rrm_operator.plan.network_policy import plan_network_policy
from rrm_operator.plan.prepare import plan_prepare
from rrm_operator.plan.progress_access import plan_progress_access
from rrm_operator.plan.ray_cluster import plan_ray_cluster
from rrm_operator.plan.ray_job import endpoint_of, plan_submission
from rrm_operator.plan.run_config import plan_run_config
from rrm_operator.plan.unreadable import spent_clusters
from rrm_operator.ports import Ref, Stop, Submission
from rrm_operator.settings import Settings

_NEEDED_BY_RUNNING_PODS: Final = frozenset({Kind.ROLE, Kind.ROLE_BINDING})
"""Made by the look after the one that makes the RayCluster: checking them takes the API server longer than
all else here, the more so the more of them a namespace holds, and GPUs are asked for meanwhile."""


@dataclass(frozen=True)
class Plan:
    """What the world shall look like; `apply` writes only where it differs."""

    objects: tuple[Manifest, ...] = ()
    """To have, in the order they are needed."""
    delete: tuple[Ref, ...] = ()
    """To be gone."""
    submission: Submission | None = None
    """A Ray job to hand in."""
    stop: Stop | None = None
    """A Ray job to be stopped."""
    claim: Manifest | None = None
    """Our claim as it shall be, if it is there: whether it goes with the training is decided at any time."""
    forget: Ref | None = None
    """The ConfigMap with an answer of preparing that is true of nothing any more: gone before all else."""


def plan(assessment: Assessment, settings: Settings, keys: RayKeys) -> Plan:
    """Return what shall be done now."""
    situation = assessment.situation
    if situation is None:
        unread = assessment.unread
        return Plan(delete=spent_clusters(unread, assessment.status) if unread is not None else ())
    todo = _plan_stage(assessment, situation, settings, keys)
    if assessment.stage is Stage.PENDING:
        return todo  # What is there may be an earlier training's.
    return replace(todo, claim=plan_claim(situation.training))


def _plan_stage(assessment: Assessment, situation: Situation, settings: Settings, keys: RayKeys) -> Plan:
    match assessment.stage:
        case Stage.PREPARING:
            return _plan_job(situation, plan_prepare(situation, settings), Role.PREPARE, settings)
        case Stage.EXPORTING:
            return _plan_job(situation, plan_export(situation, settings), Role.EXPORT, settings)
        case Stage.STOPPING:
            return _plan_stop(situation, settings, keys)
        case Stage.PROVISIONING | Stage.STARTING | Stage.TRAINING:
            return _plan_attempt(assessment, situation, settings, keys)
        case Stage.PENDING if has_lost_volume(situation.training, situation.snapshot):
            # Pods hold a claim that is being deleted, also those that have ended.
            return Plan(delete=_finished(situation), forget=_answer(situation))
        case _:
            return Plan(delete=_unneeded(assessment.stage, situation))


def _plan_attempt(assessment: Assessment, situation: Situation, settings: Settings, keys: RayKeys) -> Plan:
    """Return what an attempt needs: its RayCluster, then its job."""
    ground, unprotected = _ground(situation, settings), _unprotected(situation)
    is_provisioning = assessment.stage is Stage.PROVISIONING
    if is_provisioning and (made := _cluster(situation, settings, keys)):
        before = (it for it in ground if it["kind"] not in _NEEDED_BY_RUNNING_PODS)
        return Plan((*before, *made), unprotected)
    submission = None if is_provisioning else _submission(assessment, situation, keys)
    return Plan((*ground, *_protected(situation)), unprotected, submission)


def _unneeded(stage: Stage, situation: Situation) -> tuple[Ref, ...]:
    """Return what goes in a stage that makes nothing."""
    leftovers = _leftovers(situation)
    match stage:
        case Stage.STALLED:
            return leftovers
        case Stage.RELEASING:
            return (*leftovers, *_budget(situation))
        case Stage.SUSPENDED:
            return (*leftovers, *_budget(situation), *_unfinished(situation))
        case Stage.SUCCEEDED | Stage.FAILED:
            return (*leftovers, *_budget(situation), *_outlived(situation))
        case _:
            return ()


def _plan_stop(situation: Situation, settings: Settings, keys: RayKeys) -> Plan:
    """Return how an attempt is stopped: it is asked to save, and after its grace Ray stops it."""
    order, cluster = stop_order(situation), situation.cluster
    assert order is not None, "the stage says that something is stopped"
    asked = situation.counted if order.saves else None
    stop = None
    if cluster is not None and situation.now >= order.kill_at:
        owner = situation.training.metadata
        stop = Stop(endpoint_of(owner, cluster, keys), submission_id(owner.uid, situation.counted))
    return Plan((*_ground(situation, settings, stopped=asked), *_protected(situation)), stop=stop)


def _ground(situation: Situation, settings: Settings, *, stopped: int | None = None) -> tuple[Manifest, ...]:
    """Return what pods of any role need: volume, run file, a place to answer, a wall around them."""
    training = situation.training
    claim = plan_claim(training)
    access = plan_progress_access(training, stopped=stopped)
    applied = (*_run_config(situation), *access, plan_network_policy(training, settings))
    digested = (with_annotations(it, **{group.ANNOTATION_DIGEST: digest_of(it)}) for it in applied)
    return (*([claim] if claim is not None else ()), *digested)


def _run_config(situation: Situation) -> tuple[Manifest, ...]:
    """Return the run ConfigMap, but not under an attempt that was made from another one."""
    cluster, run = situation.cluster, situation.run
    if cluster is not None and (run is None or run.digest() != cluster.digest):
        return ()
    return (plan_run_config(situation),)


def _plan_job(situation: Situation, wanted: Manifest, role: Role, settings: Settings) -> Plan:
    """Return the plan for a Job; two of one role would write into one folder, so the old one goes first.

    One that a person tries again is an old one too: its name is the same, as its input is.
    """
    name = wanted["metadata"]["name"]
    failed = prepare_failure(situation) if role is Role.PREPARE else export_failure(situation)
    lost = role is Role.PREPARE and has_lost_volume(situation.training, situation.snapshot)
    again = lost or (situation.retried and failed is not None)
    others = [
        it
        for it in situation.snapshot.jobs
        if it.role is role and (it.name != name or (again and it.finished_time))
    ]
    pods = [pod for pod in situation.pods(PodRole(role.value)) if pod.owner != name]
    ours = next((it for it in situation.snapshot.jobs if it.name == name), None)
    waits = bool(others or pods) or (ours is not None and ours.deleting)
    ground = _ground(situation, settings)
    gone = tuple(_ref(situation, Kind.JOB, it.name, it.uid) for it in others if not it.deleting)
    if lost:  # No new claim before the answer about the old one is gone.
        return Plan(delete=gone, forget=_answer(situation))
    return Plan(objects=ground if waits else (*ground, wanted), delete=gone)


def _answer(situation: Situation) -> Ref | None:
    """Return where the answer of preparing stands, None if there is none."""
    if situation.answers.record(Role.PREPARE) is None:
        return None
    training = situation.training.metadata
    return Ref(Kind.CONFIG_MAP, training.namespace, progress_name(training.name))


def _cluster(situation: Situation, settings: Settings, keys: RayKeys) -> tuple[Manifest, ...]:
    if situation.cluster is not None:
        return ()
    return plan_ray_cluster(situation, settings, keys, attempt=situation.counted + 1)


def _leftovers(situation: Situation) -> tuple[Ref, ...]:
    return tuple(
        _ref(situation, Kind.RAY_CLUSTER, it.name, it.uid)
        for it in leftover_clusters(situation)
        if not it.deleting
    )


def _protected(situation: Situation) -> tuple[Manifest, ...]:
    """Return the budget that keeps Ray pods from being evicted, where the spec asks for one."""
    budget = plan_disruption_budget(situation.training)
    if budget is None:
        return ()
    return (with_annotations(budget, **{group.ANNOTATION_DIGEST: digest_of(budget)}),)


def _unprotected(situation: Situation) -> tuple[Ref, ...]:
    return _budget(situation) if plan_disruption_budget(situation.training) is None else ()


def _budget(situation: Situation) -> tuple[Ref, ...]:
    """Return the budget to remove: one that guards no pods is reported as broken by every dashboard."""
    kind = Kind.POD_DISRUPTION_BUDGET
    found = (it for it in situation.snapshot.objects if it.kind is kind and not it.deleting)
    return tuple(_ref(situation, kind, it.name, it.uid) for it in found)


def _unfinished(situation: Situation) -> tuple[Ref, ...]:
    jobs = (it for it in situation.snapshot.jobs if not it.finished_time and not it.deleting)
    return tuple(_ref(situation, Kind.JOB, it.name, it.uid) for it in jobs)


def _finished(situation: Situation) -> tuple[Ref, ...]:
    jobs = (it for it in situation.snapshot.jobs if it.finished_time and not it.deleting)
    return tuple(_ref(situation, Kind.JOB, it.name, it.uid) for it in jobs)


def _outlived(situation: Situation) -> tuple[Ref, ...]:
    """Return the Jobs to remove at the end: those that still run, and all after `ttlSecondsAfterFinished`."""
    due = finished_due(situation)
    if due is None or situation.now < due:
        # An export Job that has just answered is about to end by itself, and stays, whatever is edited.
        has_answered = situation.export_record is not None
        answered = {it.name for it in situation.snapshot.jobs if has_answered and it.role is Role.EXPORT}
        return tuple(it for it in _unfinished(situation) if it.name not in answered)
    jobs = (it for it in situation.snapshot.jobs if not it.deleting)
    return tuple(_ref(situation, Kind.JOB, it.name, it.uid) for it in jobs)


def _submission(assessment: Assessment, situation: Situation, keys: RayKeys) -> Submission | None:
    """Return the job to hand in: counted but unknown to Ray is handed in again, under the same id."""
    cluster, job, new = situation.cluster, situation.snapshot.ray_job, assessment.new
    if cluster is None:
        return None
    if new is not None:
        return plan_submission(situation.training.metadata, cluster, keys, attempt=new.number)
    known = job is not None and job.state is not RayJobState.ABSENT
    if situation.progressed or known or not cluster.head_ready:
        return None
    return plan_submission(situation.training.metadata, cluster, keys, attempt=situation.counted)


def _ref(situation: Situation, kind: Kind, name: str, uid: str) -> Ref:
    return Ref(kind, situation.training.metadata.namespace, name, uid)


__all__ = ["Plan", "plan"]
