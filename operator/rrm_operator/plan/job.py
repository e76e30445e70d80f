"""A Kubernetes Job of ours: one pod, tried once; another input is another Job."""

from rrm_api import group
from rrm_api.run import Role
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import job_name, metadata_of, with_annotations


def plan_job(situation: Situation, role: Role, digest: str, *, pod: Manifest) -> Manifest:
    """Return the Job of a role for an input, around a planned pod.

    Retrying is the operator's decision (`backoffLimit: 0`): Kubernetes would repeat a user's mistake.
    """
    training = situation.training.metadata
    template = {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}
    job: Manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata_of(training, job_name(training.name, role, digest), role),
        "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1, "template": template},
    }
    return with_annotations(job, **{group.ANNOTATION_DIGEST: digest})
