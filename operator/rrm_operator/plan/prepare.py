"""The prepare Job: reads, checks and splits the rows, on CPU, before any GPU is asked for."""

from rrm_api.run import CLAIMS_MOUNT, INTENT_KEY, RUN_MOUNT, VOLUME_MOUNT, Role
from rrm_operator.assess.inputs import prepare_input_of
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest, PodRole
from rrm_operator.plan.job import plan_job
from rrm_operator.plan.pod import Part, plan_pod
from rrm_operator.settings import Settings


def plan_prepare(situation: Situation, settings: Settings) -> Manifest:
    """Return the prepare Job of the spec of now."""
    command = ["python", "-m", "rrm.cli", "prepare", f"{RUN_MOUNT}/{INTENT_KEY}"]
    part = Part(
        role=PodRole.PREPARE,
        knobs=situation.training.spec.jobs,
        resources=settings.jobs_resources,
        container={"command": [*command, "--volume", VOLUME_MOUNT, "--claims", CLAIMS_MOUNT]},
        reads_rows=True,
    )
    pod = plan_pod(situation, part, settings)
    return plan_job(situation, Role.PREPARE, prepare_input_of(situation.training), pod=pod)
