"""Under which key of verl's configuration each number of a preset stands, in 0.4.0 and 0.9.1 alike."""

from typing import Final

ACTOR: Final = "actor_rollout_ref.actor"
ROLLOUT: Final = "actor_rollout_ref.rollout"

KEY_OF: Final = {
    "epochs": "trainer.total_epochs",
    "max_steps": "trainer.total_training_steps",
    "batch_size": "data.train_batch_size",
    "mini_batch_size": f"{ACTOR}.ppo_mini_batch_size",
    "micro_batch_size_per_gpu": f"{ACTOR}.ppo_micro_batch_size_per_gpu",
    "max_tokens_per_gpu": f"{ACTOR}.ppo_max_token_len_per_gpu",
    "rollouts_per_prompt": f"{ROLLOUT}.n",
    "learning_rate": f"{ACTOR}.optim.lr",
    "warmup_steps": f"{ACTOR}.optim.lr_warmup_steps",
    "kl_coefficient": f"{ACTOR}.kl_loss_coef",
    "entropy_coefficient": f"{ACTOR}.entropy_coeff",
    "clip_ratio_low": f"{ACTOR}.clip_ratio_low",
    "clip_ratio_high": f"{ACTOR}.clip_ratio_high",
    "temperature": f"{ROLLOUT}.temperature",
    "lora_rank": "actor_rollout_ref.model.lora_rank",
    "evaluate_every_steps": "trainer.test_freq",
    "save_every_steps": "trainer.save_freq",
    "tensor_parallel": f"{ROLLOUT}.tensor_model_parallel_size",
    "gpu_memory_utilization": f"{ROLLOUT}.gpu_memory_utilization",
    "max_prompt_tokens": "data.max_prompt_length",
    "max_response_tokens": "data.max_response_length",
}
