"""What each key of a launch script becomes: a field of the spec, nothing (and why), or a raw override.

Keys and defaults are verl 0.4.0's, the version that the scripts were written for; raw overrides are written
for 0.9.1.
"""

from typing import Final

from rrm.presets.verl_keys import ACTOR, ROLLOUT

REF: Final = "actor_rollout_ref.ref"
MODEL: Final = "actor_rollout_ref.model"

SPEC_FIELD: Final = {
    "epochs": ("training", "epochs"),
    "max_steps": ("training", "maxSteps"),
    "batch_size": ("training", "batchSize"),
    "mini_batch_size": ("training", "miniBatchSize"),
    "micro_batch_size_per_gpu": ("training", "microBatchSizePerGPU"),
    "rollouts_per_prompt": ("training", "rolloutsPerPrompt"),
    "filter_groups": ("training", "filterGroups"),
    "learning_rate": ("training", "learningRate"),
    "kl_coefficient": ("training", "klCoefficient"),
    "temperature": ("training", "temperature"),
    "evaluate_every_steps": ("training", "evaluateEverySteps"),
    "tensor_parallel": ("training", "tensorParallel"),
    "save_every_steps": ("checkpoints", "everySteps"),
    "max_prompt_tokens": ("data", "maxPromptTokens"),
    "max_response_tokens": ("data", "maxResponseTokens"),
}
"""Where the spec says a number; the others are raw overrides where they differ from the preset's."""

DEFAULTS: Final[dict[str, str]] = {
    "trainer.total_epochs": "30",
    "data.train_batch_size": "1024",
    f"{ACTOR}.ppo_mini_batch_size": "256",
    f"{ROLLOUT}.n": "1",
    f"{ACTOR}.optim.lr": "1e-6",
    f"{ACTOR}.optim.lr_warmup_steps": "-1",
    f"{ACTOR}.use_kl_loss": "False",
    f"{ACTOR}.kl_loss_coef": "0.001",
    f"{ACTOR}.entropy_coeff": "0",
    f"{ACTOR}.clip_ratio": "0.2",
    f"{ROLLOUT}.temperature": "1.0",
    f"{ROLLOUT}.tensor_model_parallel_size": "2",
    f"{ROLLOUT}.gpu_memory_utilization": "0.5",
    f"{MODEL}.lora_rank": "0",
    "trainer.test_freq": "-1",
    "trainer.save_freq": "-1",
    "trainer.nnodes": "1",
    "trainer.n_gpus_per_node": "8",
    "data.max_prompt_length": "512",
    "data.max_response_length": "512",
    "algorithm.filter_groups.enable": "False",
}
"""What verl does where the script says nothing."""

CONSUMED: Final = frozenset(
    {
        *DEFAULTS,
        "trainer.total_training_steps",
        f"{ACTOR}.ppo_micro_batch_size_per_gpu",
        f"{ACTOR}.clip_ratio_low",
        f"{ACTOR}.clip_ratio_high",
        f"{MODEL}.path",
        "data.train_files",
        "data.val_files",
        "data.seed",
        "data.custom_cls.path",
        "data.custom_cls.name",
        "custom_reward_function.path",
        "custom_reward_function.name",
        "reward.custom_reward_function.path",
        "reward.custom_reward_function.name",
        "algorithm.adv_estimator",
        "trainer.project_name",
        "trainer.experiment_name",
        "trainer.device",
        "trainer.max_actor_ckpt_to_keep",
    }
)
"""Keys that some field of the spec says, or that only help to name it."""

ANY: Final = None
DROPPED: Final[dict[str, tuple[str | None, str]]] = {
    "data.prompt_key": (ANY, "the converter of the source knows its columns"),
    "data.return_raw_chat": (ANY, "rows are rendered when they are prepared"),
    "data.truncation": (ANY, "too long prompts are dropped and counted when rows are prepared, never cut"),
    "data.filter_overlong_prompts": (ANY, "prompts are measured when rows are prepared"),
    "data.filter_overlong_prompts_workers": (ANY, "prompts are measured when rows are prepared"),
    "data.val_batch_size": (ANY, "all validation rows are answered at once"),
    "data.shuffle": ("true", "rows are shuffled with data.seed"),
    "data.cache_dir": (ANY, "rows lie on the training's claim"),
    "algorithm.use_kl_in_reward": ("false", "the KL term is in the loss"),
    "algorithm.norm_adv_by_std_in_grpo": ("true", "pinned"),
    f"{ACTOR}.kl_loss_type": ("low_var_kl", "pinned"),
    f"{ACTOR}.use_dynamic_bsz": ("false", "a micro-batch size is given"),
    f"{ACTOR}.strategy": (ANY, "FSDP2"),
    f"{ACTOR}.optim.warmup_style": ("constant", "pinned"),
    f"{ACTOR}.fsdp_config.param_offload": ("false", "the default"),
    f"{ACTOR}.fsdp_config.optimizer_offload": ("false", "the default"),
    f"{REF}.fsdp_config.param_offload": ("true", "pinned"),
    f"{MODEL}.use_remove_padding": (ANY, "the image decides by its attention kernels"),
    f"{MODEL}.enable_gradient_checkpointing": ("true", "pinned"),
    f"{MODEL}.trust_remote_code": ("false", "the default"),
    f"{ROLLOUT}.name": ("vllm", "pinned"),
    f"{ROLLOUT}.mode": (ANY, "verl 0.9.1 has asynchronous servers only"),
    f"{ROLLOUT}.load_format": (ANY, "verl 0.9.1 knows how its weights travel"),
    "reward_model.reward_manager": ("naive", "ours sees the tokens and pays the same"),
    "reward_model.launch_reward_fn_async": (ANY, "rewards are always computed beside the rollout"),
    "reward_model.enable": ("false", "the default"),
    "trainer.critic_warmup": ("0", "GRPO has no critic"),
    "trainer.val_before_train": (ANY, "the untrained model is always validated, as the base of the lift"),
    "trainer.logger": (ANY, "metrics go to the console and to files on the training's claim"),
    "trainer.log_val_generations": (ANY, "every validation answer is kept"),
    "trainer.default_local_dir": (ANY, "checkpoints lie on the training's claim"),
    "trainer.default_hdfs_dir": (ANY, "checkpoints lie on the training's claim"),
    "trainer.validation_data_dir": (ANY, "every validation answer is kept"),
    "trainer.resume_mode": (ANY, "always from the last whole checkpoint"),
    "trainer.resume_from_path": (ANY, "always from the last whole checkpoint"),
    "ray_init.num_cpus": (ANY, "the operator makes the Ray cluster"),
}
"""Keys that become nothing, with the value this holds for (lower case; ANY = all) and the reason."""

RENAMED: Final = {
    f"{ACTOR}.checkpoint.contents": f"{ACTOR}.checkpoint.save_contents",
    f"{ACTOR}.optim.warmup_style": f"{ACTOR}.optim.lr_scheduler_type",
    "reward_model.reward_manager": "reward.reward_manager.name",
}
"""Keys that verl 0.9.1 calls otherwise."""

SECTIONS: Final = frozenset(
    {"actor_rollout_ref", "algorithm", "data", "trainer", "critic", "reward", "reward_model"}
)
"""First parts of keys that verl 0.9.1 knows."""
KNOWN_JUDGES: Final = r"(?:^|/)(?:rm_gallery|gallery|examples|cookbooks)(?:/[\w.-]+)*/(?:pointwise|pairwise)"
"""Paths of the datasets and rewards that RM-Gallery and OpenJudge ship; a method stands for them here."""
