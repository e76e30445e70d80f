"""verl 0.4.0's task runner with our trainer, reward manager and worker in it, and Ray around it."""

import os
from typing import Any, Final

import ray
from omegaconf import OmegaConf
from verl.trainer import main_ppo

from rrm.train.attempt import attempt_of, write_json

SETUP_HOOK: Final = "rrm.train.cpu04.install"
VARIABLES: Final = {
    "TOKENIZERS_PARALLELISM": "true",
    "NCCL_DEBUG": "WARN",
    "VLLM_LOGGING_LEVEL": "WARN",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true",
}
"""What verl's own launcher gives its processes."""


# It is an actor class already, from which Python cannot inherit: take the plain class behind it.
class RrmTaskRunnerBase(main_ppo.TaskRunner.__ray_metadata__.modified_class):  # type: ignore[misc]
    """Runs in the actor that verl calls its driver, on whichever node Ray chose."""

    def run(self, config: Any) -> None:
        """Train, then leave a note: verl drops what this returns."""
        from verl.workers import fsdp_workers

        from rrm.train.verl04.dataset import shuffled
        from rrm.train.verl04.reward_manager import RrmRewardManager
        from rrm.train.verl04.trainer import RrmTrainer
        from rrm.train.verl04.worker import RrmWorker

        # There is no other way in: verl's runner looks these names up when it runs.
        main_ppo.RayPPOTrainer = RrmTrainer
        main_ppo.create_rl_sampler = shuffled
        main_ppo.load_reward_manager = lambda config, tokenizer, **_: RrmRewardManager(config, tokenizer)
        fsdp_workers.ActorRolloutRefWorker = RrmWorker
        super().run(config)
        write_json(attempt_of(config.rrm).outcome, {"stopped_at": RrmTrainer.stopped_at})


RrmTaskRunner = ray.remote(num_cpus=1)(RrmTaskRunnerBase)


def run(config: Any) -> None:
    """Train in the Ray that `ray_kwargs.ray_init` describes: verl's own launcher knows a local one only."""
    if not ray.is_initialized():
        ray.init(**ray_settings(config))
    ray.get(RrmTaskRunner.remote().run.remote(config))


def ray_settings(config: Any) -> dict[str, Any]:
    """Return the arguments of `ray.init`."""
    settings: dict[str, Any] = OmegaConf.to_container(config.ray_kwargs.ray_init, resolve=True)
    runtime = settings.setdefault("runtime_env", {})
    runtime["env_vars"] = {**VARIABLES, **runtime.get("env_vars", {})}
    if os.environ.get("VERL_PLATFORM") == "cpu":
        runtime["worker_process_setup_hook"] = SETUP_HOOK
    return {name: value for name, value in settings.items() if value is not None}
