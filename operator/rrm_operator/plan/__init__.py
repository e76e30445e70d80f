"""What shall be done about an assessment: `plan` returns objects to have, to delete, and a job to submit.

Pure, like `assess`: the same assessment always gives the same plan.
"""

from dataclasses import dataclass

from rrm_api import group
from rrm_api.conditions import Stage
from rrm_api.run import Role, digest_of
from rrm_operator.assess import Assessment
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.stage import leftover_clusters
from rrm_operator.facts import Kind, Manifest, PodRole, RayJobState
from rrm_operator.keys import RayKeys
from rrm_operator.plan.checkpoints import plan_claim
from rrm_operator.plan.export import plan_export
from rrm_operator.plan.names import with_annotations
from rrm_operator.plan.prepare import plan_prepare
from rrm_operator.plan.progress_access import plan_progress_access
from rrm_operator.plan.ray_cluster import plan_ray_cluster
from rrm_operator.plan.ray_job import plan_submission
from rrm_operator.plan.run_config import plan_run_config
from rrm_operator.ports import Ref, Submission
from rrm_operator.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What the world shall look like; `apply` writes only where it differs."""

    objects: tuple[Manifest, ...] = ()
    """To have, in the order they are needed."""
    delete: tuple[Ref, ...] = ()
    """To be gone."""
    submission: Submission | None = None
    """A Ray job to hand in."""


def plan(assessment: Assessment, settings: Settings, keys: RayKeys) -> Plan:
    """Return what shall be done now."""
    situation = assessment.situation
    if situation is None:
        return Plan()
    match assessment.stage:
        case Stage.RELEASING:
            return Plan(delete=_leftovers(situation))
        case Stage.PREPARING:
            return _plan_job(situation, plan_prepare(situation, settings), Role.PREPARE)
        case Stage.EXPORTING:
            return _plan_job(situation, plan_export(situation, settings), Role.EXPORT)
        case Stage.PROVISIONING:
            return Plan(objects=(*_ground(situation), *_cluster(situation, settings, keys)))
        case Stage.STARTING | Stage.TRAINING:
            return Plan(objects=_ground(situation), submission=_submission(situation, keys))
        case _:
            return Plan()


def _ground(situation: Situation) -> tuple[Manifest, ...]:
    """Return what pods of any role need: volume, run file, a place to answer."""
    training = situation.training
    claim = plan_claim(training)
    applied = (*_run_config(situation), *plan_progress_access(training))
    digested = (with_annotations(it, **{group.ANNOTATION_DIGEST: digest_of(it)}) for it in applied)
    return (*([claim] if claim is not None else ()), *digested)


def _run_config(situation: Situation) -> tuple[Manifest, ...]:
    """Return the run ConfigMap, but not under an attempt that was made from another one."""
    cluster, run = situation.cluster, situation.run
    if cluster is not None and (run is None or run.digest() != cluster.digest):
        return ()
    return (plan_run_config(situation),)


def _plan_job(situation: Situation, wanted: Manifest, role: Role) -> Plan:
    """Return the plan for a Job; two of one role would write into one folder, so the old one goes first."""
    name = wanted["metadata"]["name"]
    others = [it for it in situation.snapshot.jobs if it.role is role and it.name != name]
    pods = [pod for pod in situation.pods(PodRole(role.value)) if pod.owner != name]
    ours = next((it for it in situation.snapshot.jobs if it.name == name), None)
    waits = bool(others or pods) or (ours is not None and ours.deleting)
    ground = _ground(situation)
    return Plan(
        objects=ground if waits else (*ground, wanted),
        delete=tuple(_ref(situation, Kind.JOB, it.name, it.uid) for it in others if not it.deleting),
    )


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


def _submission(situation: Situation, keys: RayKeys) -> Submission | None:
    """Return the job to hand in: counted but unknown to Ray is handed in again, under the same id."""
    cluster, job = situation.cluster, situation.snapshot.ray_job
    if cluster is None or situation.progressed:
        return None
    known = job is not None and job.state is not RayJobState.ABSENT
    if situation.submitted and (known or not cluster.head_ready):
        return None
    return plan_submission(situation.training.metadata, cluster, keys)


def _ref(situation: Situation, kind: Kind, name: str, uid: str) -> Ref:
    return Ref(kind, situation.training.metadata.namespace, name, uid)


__all__ = ["Plan", "plan"]
