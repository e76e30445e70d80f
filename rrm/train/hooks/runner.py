"""verl's task runner with our trainer in it, and the file by which its outcome leaves the Ray actor."""

import os
from typing import Any

import ray
from verl.trainer.main_ppo import TaskRunnerV1

from rrm.train.attempt import attempt_of, write_json


# TaskRunnerV1 is already an actor class, from which Python cannot inherit: take the plain class behind it.
class RrmTaskRunnerBase(TaskRunnerV1.__ray_metadata__.modified_class):  # type: ignore[misc]
    """Runs in the actor that verl calls its driver, on whichever node Ray chose."""

    def run(self, config: Any) -> None:
        """Train, then leave a note: verl drops what this returns."""
        from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY

        from rrm.train.hooks.trainer import RrmTrainer

        attempt = attempt_of(config.rrm)
        os.environ["VERL_FILE_LOGGER_PATH"] = str(attempt.metrics)
        # The name must stay "sync": any other one silently selects the asynchronous replay buffer.
        TRAINER_REGISTRY["sync"] = RrmTrainer
        super().run(config)
        write_json(attempt.outcome, {"stopped_at": self.trainer.stopped_at})


RrmTaskRunner = ray.remote(RrmTaskRunnerBase)
