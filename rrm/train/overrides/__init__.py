"""The trainer's configuration: an attempt goes in, Hydra overrides in a verl's own words come out. Pure.

`job` gathers what any engine must be told, `verl09` and `verl04` say it. Each value comes from the run
file, or stands in one of their tables with its reason. The spec's own `training.overrides` win.
"""

from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Start
from rrm.train.engine import DEFAULT, Engine
from rrm.train.overrides import verl04, verl09
from rrm.train.overrides.hydra_text import Value, written
from rrm.train.overrides.job import Job, RayPlace, job_of

__all__ = ["Job", "RayPlace", "Value", "job_of", "overrides_for", "written"]


def overrides_for(
    attempt: Attempt,
    *,
    start: Start,
    evaluate_first: bool,
    ray: RayPlace,
    engine: Engine = DEFAULT,
    upstream_dataset: str | None = None,
) -> list[str]:
    """Return verl's Hydra overrides for one attempt, the spec's own last.

    Args:
        attempt: What to run and where it lies.
        start: Checkpoint to continue from.
        evaluate_first: Whether to validate the untrained model before the first step.
        ray: Where Ray is.
        engine: Whose words to speak.
        upstream_dataset: Entry point of a dataset class that was written for RM-Gallery; None = ours.

    Raises:
        InvalidSpec: the training asks for what this engine cannot do.
    """
    job = job_of(attempt, start, ray, evaluate_first=evaluate_first, upstream_dataset=upstream_dataset)
    match engine:
        case Engine.VERL_09:
            values = verl09.render(job)
        case Engine.VERL_04:
            values = verl04.render(job)
    taken = {key.lstrip("+") for key in job.own}
    ours = [f"{key}={written(value)}" for key, value in values.items() if key.lstrip("+") not in taken]
    return ours + [f"{key}={value}" for key, value in job.own.items()]
