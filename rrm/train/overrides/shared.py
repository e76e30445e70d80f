"""What both engines call the same."""

from typing import Final

from rrm.train.overrides.hydra_text import Value
from rrm.train.overrides.job import Job

ACTOR: Final = "actor_rollout_ref.actor"
ROLLOUT: Final = "actor_rollout_ref.rollout"
MODEL: Final = "actor_rollout_ref.model"
REF: Final = "actor_rollout_ref.ref"
RAY: Final = "ray_kwargs.ray_init"
FLOAT32: Final = "{param_dtype: fp32, reduce_dtype: fp32, buffer_dtype: fp32}"

PINNED: Final[dict[str, Value]] = {
    "algorithm.adv_estimator": "grpo",
    "algorithm.use_kl_in_reward": False,
    "algorithm.norm_adv_by_std_in_grpo": True,
    # Prompts were measured when the rows were prepared; none is too long.
    "data.filter_overlong_prompts": False,
    "data.shuffle": True,
    f"{ACTOR}.kl_loss_type": "low_var_kl",
    f"{ACTOR}.strategy": "fsdp2",
    "trainer.project_name": "rrm",
    # Steps bound the run, epochs do not: the number of steps was settled when the rows were prepared.
    "trainer.total_epochs": 1_000_000,
}
"""What every run has; verl's own defaults may change, these do not."""


def data(job: Job) -> dict[str, Value]:
    """Return rows, lengths and weights."""
    return {
        "data.train_files": str(job.train_rows),
        "data.val_files": str(job.validation_rows),
        "data.train_batch_size": job.numbers.batch_size,
        "data.max_prompt_length": job.numbers.max_prompt_tokens,
        "data.max_response_length": job.numbers.max_response_tokens,
        "+data.apply_chat_template_kwargs.enable_thinking": job.enable_thinking,
        f"{MODEL}.path": str(job.weights),
    }


def own_dataset(job: Job, module: str) -> dict[str, Value]:
    """Return what puts a dataset class of the user in the place of ours; `module` adapts it to the engine."""
    if job.upstream_dataset is None:
        return {}
    return {
        "data.custom_cls.path": module,
        "data.custom_cls.name": "UpstreamRows",
        "+data.rrm_dataset": job.upstream_dataset,
    }


def learning(job: Job) -> dict[str, Value]:
    """Return the numbers of GRPO and its optimizer."""
    numbers, micro = job.numbers, job.numbers.micro_batch_size_per_gpu
    return {
        f"{ACTOR}.optim.lr": numbers.learning_rate,
        f"{ACTOR}.optim.lr_warmup_steps": numbers.warmup_steps,
        f"{ACTOR}.entropy_coeff": numbers.entropy_coefficient,
        f"{ACTOR}.clip_ratio_low": numbers.clip_ratio_low,
        f"{ACTOR}.clip_ratio_high": numbers.clip_ratio_high,
        f"{ACTOR}.ppo_mini_batch_size": numbers.mini_batch_size,
        f"{ACTOR}.ppo_micro_batch_size_per_gpu": micro,
        f"{ACTOR}.use_kl_loss": job.uses_kl,
        f"{ACTOR}.kl_loss_coef": numbers.kl_coefficient,
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": micro,
        f"{REF}.log_prob_micro_batch_size_per_gpu": micro,
        **_dynamic_batches(numbers.max_tokens_per_gpu),
    }


def _dynamic_batches(tokens: int | None) -> dict[str, Value]:
    if tokens is None:
        return {f"{ACTOR}.use_dynamic_bsz": False}
    # Rollout and reference take both from the actor.
    return {f"{ACTOR}.use_dynamic_bsz": True, f"{ACTOR}.ppo_max_token_len_per_gpu": tokens}


def rollout(job: Job) -> dict[str, Value]:
    """Return how answers are sampled."""
    return {
        f"{ROLLOUT}.n": job.numbers.rollouts_per_prompt,
        f"{ROLLOUT}.temperature": job.numbers.temperature,
        f"{ROLLOUT}.tensor_model_parallel_size": job.numbers.tensor_parallel,
    }


def trainer(job: Job) -> dict[str, Value]:
    """Return steps, intervals, places and where to go on."""
    return {
        "trainer.nnodes": job.intent.nodes,
        "trainer.n_gpus_per_node": job.intent.gpus_per_node,
        "trainer.total_training_steps": job.total_steps,
        "trainer.test_freq": job.evaluate_every,
        "trainer.save_freq": job.save_every,
        "trainer.val_before_train": job.evaluate_first,
        "trainer.experiment_name": job.experiment,
        "trainer.default_local_dir": str(job.checkpoints),
        # Never `auto`: it trusts the tracker alone, we the last checkpoint that is whole.
        "trainer.resume_mode": "resume_path" if job.resume_from else "disable",
        "trainer.resume_from_path": str(job.resume_from) if job.resume_from else None,
        # Only switches verl's writing of answers on; our trainer writes them itself, one row per answer.
        "trainer.validation_data_dir": str(job.answers),
    }


def embedded_ray(job: Job) -> dict[str, Value]:
    """Return what a Ray of our own is started with; nothing if there is one already."""
    if job.ray.address is not None:
        return {}
    gpus = job.intent.gpus_per_node
    return {
        f"+{RAY}.num_gpus": gpus,
        f"+{RAY}.include_dashboard": False,
        f"+{RAY}._node_ip_address": "127.0.0.1",
        f"+{RAY}.object_store_memory": 1_000_000_000,
        **({f"+{RAY}._temp_dir": str(job.ray.temp_folder)} if job.ray.temp_folder else {}),
    }


def logical_cpus(job: Job) -> int:
    """Return what Ray is told, whatever the machine has: each of verl's bundles asks for 3."""
    return 8 * job.intent.gpus_per_node


def forwarded(job: Job) -> dict[str, Value]:
    """Return the variables that Ray brings to every process, and the address of a Ray that is there."""
    address: dict[str, Value] = {f"+{RAY}.address": job.ray.address} if job.ray.address is not None else {}
    variables: dict[str, Value] = {
        f"+{RAY}.runtime_env.env_vars.{name}": f"'{value}'"
        for name, value in sorted(job.ray.environment.items())
    }
    return {**address, **variables}


def settings(job: Job) -> dict[str, Value]:
    """Return our own part of the configuration."""
    return {f"+rrm.{name}": value for name, value in job.settings.items()}
