"""The export Job: a whole checkpoint becomes a Hugging Face folder, after the GPUs were given back."""

from rrm_api.run import CLAIMS_MOUNT, RUN_KEY, RUN_MOUNT, VOLUME_MOUNT, Role
from rrm_api.spec_pods import Accelerator
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest, PodRole
from rrm_operator.plan.job import plan_job
from rrm_operator.plan.pod import Part, plan_pod
from rrm_operator.settings import Settings


def plan_export(situation: Situation, settings: Settings) -> Manifest:
    """Return the export Job of the attempt that reached its end."""
    command = ["python", "-m", "rrm.cli", "export", f"{RUN_MOUNT}/{RUN_KEY}"]
    on_cpu = situation.training.spec.workers.accelerator is Accelerator.CPU
    part = Part(
        role=PodRole.EXPORT,
        knobs=situation.training.spec.jobs,
        resources=settings.cpu_export_resources if on_cpu else settings.export_resources,
        container={"command": [*command, "--volume", VOLUME_MOUNT, "--claims", CLAIMS_MOUNT]},
    )
    pod = plan_pod(situation, part, settings)
    return plan_job(situation, Role.EXPORT, situation.export_input, pod=pod)
