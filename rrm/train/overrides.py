"""The trainer's configuration: a run file and places go in, verl 0.9.1's Hydra overrides come out. Pure.

Each value comes from the run file, or stands in a table here with its reason. The spec's own
`training.overrides` win.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rrm.presets import Hyperparameters
from rrm.reasoning import resolve_reasoning
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Start
from rrm.train.weights import weights_folder
from rrm_api.run import Intent
from rrm_api.spec_pods import Accelerator

ACTOR: Final = "actor_rollout_ref.actor"
ROLLOUT: Final = "actor_rollout_ref.rollout"
MODEL: Final = "actor_rollout_ref.model"
REF: Final = "actor_rollout_ref.ref"
Value = str | int | float | bool | None

HOOKS: Final[dict[str, Value]] = {
    "data.custom_cls.path": "pkg://rrm.train.hooks.dataset",
    "data.custom_cls.name": "PreparedRows",
    "reward.reward_manager.source": "importlib",
    "reward.reward_manager.name": "RrmRewardManager",
    "reward.reward_manager.module.path": "pkg://rrm.train.hooks.reward_manager",
    f"{ROLLOUT}.agent.agent_loop_config_path": str(Path(__file__).parent / "hooks" / "agent_loops.yaml"),
    f"{ROLLOUT}.agent.default_agent_loop": "rrm",
}
"""Our classes at verl's extension points."""

PINNED: Final[dict[str, Value]] = {
    "algorithm.adv_estimator": "grpo",
    "algorithm.use_kl_in_reward": False,
    "algorithm.norm_adv_by_std_in_grpo": True,
    # Prompts were measured when the rows were prepared; none is too long.
    "data.filter_overlong_prompts": False,
    "data.shuffle": True,
    "data.dataloader_num_workers": 0,
    f"{ACTOR}.optim.lr_scheduler_type": "constant",
    f"{ACTOR}.entropy_coeff": 0,
    f"{ACTOR}.kl_loss_type": "low_var_kl",
    f"{ACTOR}.strategy": "fsdp2",
    f"{ACTOR}.fsdp_config.strategy": "fsdp2",
    f"{ROLLOUT}.name": "vllm",
    # Otherwise its actors are bound to any node, also to a head without CPUs, where they never start.
    "+transfer_queue.backend.SimpleStorage.required_node_resource": "GPU",
    "trainer.logger": "[console,file]",
    "trainer.project_name": "rrm",
    # Steps bound the run, epochs do not: the number of steps was settled when the rows were prepared.
    "trainer.total_epochs": 1_000_000,
}
"""What every run has; verl's own defaults may change, these do not."""

NVIDIA: Final[dict[str, Value]] = {
    "trainer.device": "cuda",
    # flash-attn has no wheel on the public index; with sdpa padded batches are the ones that surely mask
    # right.
    f"+{MODEL}.override_config.attn_implementation": "sdpa",
    f"{MODEL}.use_remove_padding": False,
    f"{MODEL}.enable_gradient_checkpointing": True,
    f"{ROLLOUT}.gpu_memory_utilization": 0.6,
    f"{REF}.fsdp_config.param_offload": True,
}

FLOAT32: Final = "{param_dtype: fp32, reduce_dtype: fp32, buffer_dtype: fp32}"
CPU: Final[dict[str, Value]] = {
    "trainer.device": "cpu",
    f"{MODEL}.use_remove_padding": False,
    f"{MODEL}.enable_gradient_checkpointing": False,
    f"+{MODEL}.override_config.attn_implementation": "sdpa",
    f"{ACTOR}.fsdp_config.dtype": "float32",
    f"+{ACTOR}.fsdp_config.mixed_precision": FLOAT32,
    f"{ACTOR}.use_torch_compile": False,
    f"{ACTOR}.fsdp_config.use_torch_compile": False,
    f"{REF}.strategy": "fsdp2",
    f"{REF}.fsdp_config.strategy": "fsdp2",
    f"{REF}.fsdp_config.dtype": "float32",
    f"+{REF}.fsdp_config.mixed_precision": FLOAT32,
    f"{REF}.fsdp_config.use_torch_compile": False,
    f"{ROLLOUT}.dtype": "float32",
    f"{ROLLOUT}.enforce_eager": True,
    f"{ROLLOUT}.free_cache_engine": False,
    # vLLM has no sleep mode on a CPU.
    f"+{ROLLOUT}.enable_sleep_mode": False,
    # A seeded request whose prompt is prefilled in pieces kills vLLM here: "CPU Generator does not use
    # offset".
    f"{ROLLOUT}.enable_chunked_prefill": False,
    f"{ROLLOUT}.max_num_seqs": 64,
    # The default of 2048 takes 2 GiB of /dev/shm.
    f"{ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": 64,
    # The defaults of 8 are 8 processes each.
    f"{ROLLOUT}.agent.num_workers": 1,
    "reward.num_workers": 1,
    "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
    "transfer_queue.backend.SimpleStorage.total_storage_size": 2000,
}
"""A CPU computes in float32, without compiler and flash attention; only FSDP2 accepts its parameters."""


@dataclass(frozen=True)
class RayPlace:
    """Where Ray is: an existing cluster, or one that verl starts inside this process.

    Attributes:
        address: Of an existing cluster (`auto` = the one of this node); None = embedded.
        temp_folder: Sockets and logs of an embedded Ray; its path must be short (Unix sockets: 107 bytes).
        environment: Variables that every process of the run gets, beyond what its node has.
    """

    address: str | None = None
    temp_folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def overrides_for(attempt: Attempt, *, start: Start, evaluate_first: bool, ray: RayPlace) -> list[str]:
    """Return verl's Hydra overrides for one attempt, the spec's own last.

    Args:
        attempt: What to run and where it lies.
        start: Checkpoint to continue from.
        evaluate_first: Whether to validate the untrained model before the first step.
        ray: Where Ray is.
    """
    intent, numbers = attempt.run.intent, attempt.hyperparameters
    is_cpu = intent.accelerator is Accelerator.CPU
    values = {
        **HOOKS,
        **PINNED,
        **(CPU if is_cpu else NVIDIA),
        **_data(attempt, numbers),
        **_learning(intent, numbers),
        **_rollout(numbers, is_cpu=is_cpu),
        **_trainer(attempt, start=start, evaluate_first=evaluate_first),
        **_ray(intent, ray),
        **{f"+rrm.{name}": value for name, value in attempt.settings().items()},
    }
    own = intent.training.overrides
    taken = {key.lstrip("+") for key in own}
    ours = [f"{key}={written(value)}" for key, value in values.items() if key.lstrip("+") not in taken]
    return ours + [f"{key}={value}" for key, value in own.items()]


def _data(attempt: Attempt, numbers: Hyperparameters) -> dict[str, Value]:
    intent, data = attempt.run.intent, attempt.layout.data
    thinking = resolve_reasoning(intent.model).enable_thinking
    return {
        "data.train_files": str(data / "train.parquet"),
        "data.val_files": str(data / "validation.parquet"),
        "data.train_batch_size": numbers.batch_size,
        "data.max_prompt_length": numbers.max_prompt_tokens,
        "data.max_response_length": numbers.max_response_tokens,
        "data.seed": intent.data.seed,
        # Rows are compared by position across steps only after sorting; no order is safer than a random one.
        "data.validation_shuffle": False,
        "+data.apply_chat_template_kwargs.enable_thinking": thinking,
        f"{MODEL}.path": str(weights_folder(attempt)),
    }


def _learning(intent: Intent, numbers: Hyperparameters) -> dict[str, Value]:
    uses_kl = numbers.kl_coefficient > 0
    micro = numbers.micro_batch_size_per_gpu
    return {
        f"{ACTOR}.optim.lr": numbers.learning_rate,
        f"{ACTOR}.ppo_mini_batch_size": numbers.mini_batch_size,
        f"{ACTOR}.ppo_micro_batch_size_per_gpu": micro,
        f"{ACTOR}.use_kl_loss": uses_kl,
        f"{ACTOR}.kl_loss_coef": numbers.kl_coefficient,
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": micro,
        f"{REF}.log_prob_micro_batch_size_per_gpu": micro,
        f"{ACTOR}.fsdp_config.seed": intent.data.seed,
    }


def _rollout(numbers: Hyperparameters, *, is_cpu: bool) -> dict[str, Value]:
    room = numbers.max_prompt_tokens + numbers.max_response_tokens
    return {
        f"{ROLLOUT}.n": numbers.rollouts_per_prompt,
        f"{ROLLOUT}.temperature": numbers.temperature,
        f"{ROLLOUT}.tensor_model_parallel_size": numbers.tensor_parallel,
        f"{ROLLOUT}.max_model_len": room,
        # Without chunks a whole prompt must fit into one batch.
        f"{ROLLOUT}.max_num_batched_tokens": max(4096 if is_cpu else 8192, room),
    }


def _trainer(attempt: Attempt, *, start: Start, evaluate_first: bool) -> dict[str, Value]:
    prepared, intent = attempt.run.prepared, attempt.run.intent
    resumed = start.resume_from
    return {
        "trainer.nnodes": intent.nodes,
        "trainer.n_gpus_per_node": intent.gpus_per_node,
        "trainer.total_training_steps": prepared.total_steps,
        "trainer.test_freq": prepared.evaluate_every_steps,
        "trainer.save_freq": prepared.save_every_steps,
        "trainer.val_before_train": evaluate_first,
        "trainer.experiment_name": f"{intent.name}-{attempt.number}",
        "trainer.default_local_dir": str(attempt.layout.checkpoints),
        # Never `auto`: it trusts the tracker alone, we the last checkpoint that is whole.
        "trainer.resume_mode": "resume_path" if resumed else "disable",
        "trainer.resume_from_path": str(resumed.path) if resumed else None,
        # Only switches verl's writing of answers on; our trainer writes them itself, one row per answer.
        "trainer.validation_data_dir": str(attempt.folder),
    }


def _ray(intent: Intent, ray: RayPlace) -> dict[str, Value]:
    init = "ray_kwargs.ray_init"
    forwarded: dict[str, Value] = {
        f"+{init}.runtime_env.env_vars.{name}": f"'{value}'"
        for name, value in sorted(ray.environment.items())
    }
    if ray.address is not None:
        return {f"+{init}.address": ray.address, **forwarded}
    return {
        # Logical: each of verl's bundles asks for 3, whatever the machine has.
        f"{init}.num_cpus": 8 * intent.gpus_per_node,
        f"+{init}.num_gpus": intent.gpus_per_node,
        f"+{init}.include_dashboard": False,
        f"+{init}._node_ip_address": "127.0.0.1",
        f"+{init}.object_store_memory": 1_000_000_000,
        **({f"+{init}._temp_dir": str(ray.temp_folder)} if ray.temp_folder else {}),
        **forwarded,
    }


def written(value: Value) -> str:
    """Return a value in Hydra's grammar; text with its special characters is quoted.

    >>> [written(v) for v in (True, None, 5e-4, "a b", "[console,file]", "/mnt/x=1")]
    ['true', 'null', '0.0005', "'a b'", '[console,file]', "'/mnt/x=1'"]
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return value if _is_plain(value) else "'" + value.replace("'", "\\'") + "'"
        case _:
            return repr(value)


def _is_plain(text: str) -> bool:
    is_structure = text[:1] + text[-1:] in ("[]", "{}", "''")
    return is_structure or not set(text) & set(" =,()[]{}'\"\\#$")
