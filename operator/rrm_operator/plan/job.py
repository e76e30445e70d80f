"""A Kubernetes Job of ours: one pod that ends; another input is another Job."""

from typing import Final

from rrm_api import group
from rrm_api.run import ExitCode, Role
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import job_name, metadata_of, with_annotations

FURTHER_TRIES: Final = 2
"""How often a pod may end by an outage of a hub or a store before the Job has failed."""
_FAILURE_POLICY: Final[Manifest] = {
    "rules": [
        # A drain, an eviction, a preemption or a lost node says nothing about the work: not counted.
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        },
        # A user's mistake fails the same way again. Pods that no rule names are counted: those with the code
        # of an outage, and those that a node refused before any container ran.
        {
            "action": "FailJob",
            "onExitCodes": {"operator": "NotIn", "values": [int(ExitCode.INFRASTRUCTURE)]},
        },
    ]
}


def plan_job(situation: Situation, role: Role, digest: str, *, pod: Manifest) -> Manifest:
    """Return the Job of a role for an input, around a planned pod.

    Kubernetes repeats only what is no fault of the input; all other repeating is the operator's decision.
    """
    training = situation.training.metadata
    # The failure policy is accepted only where the kubelet restarts nothing by itself.
    template = {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}
    job: Manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata_of(training, job_name(training.name, role, digest), role),
        "spec": {
            "activeDeadlineSeconds": situation.training.spec.policy.job_deadline_seconds,
            "backoffLimit": FURTHER_TRIES,
            "completions": 1,
            "parallelism": 1,
            "podFailurePolicy": _FAILURE_POLICY,
            "template": template,
        },
    }
    return with_annotations(job, **{group.ANNOTATION_DIGEST: digest})
