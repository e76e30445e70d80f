#!/usr/bin/env bash
# A script of somebody's own: other numbers, other reward, keys of verl that no field of the spec says.
set -euo pipefail
cd "$(dirname "$0")"
export HF_TOKEN=hf_thisIsNotARealTokenAtAll
export VLLM_USE_V1=1 NCCL_DEBUG=${NCCL_DEBUG:-WARN}
LR=3e-6; ROLLOUTS=8
EXTRA="algorithm.norm_adv_by_std_in_grpo=False"

WANDB_MODE=offline python3 -m verl.trainer.main_ppo algorithm.adv_estimator=grpo "$EXTRA" \
  data.train_files="['/nas/rows/a.parquet','/nas/rows/b.parquet']" \
  data.train_batch_size=128 data.max_prompt_length=2048 data.max_response_length=1024 \
  custom_reward_function.path=rewards/strict_reward.py custom_reward_function.name=strict_score \
  actor_rollout_ref.model.path=/nas/models/my-judge-7b \
  actor_rollout_ref.actor.optim.lr=$LR \
  actor_rollout_ref.actor.ppo_mini_batch_size=64 actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4 \
  actor_rollout_ref.actor.entropy_coeff=0.001 actor_rollout_ref.actor.clip_ratio_high=0.28 \
  actor_rollout_ref.actor.loss_agg_mode=seq-mean-token-sum \
  actor_rollout_ref.rollout.n=$ROLLOUTS actor_rollout_ref.rollout.top_p=0.95 \
  actor_rollout_ref.rollout.val_kwargs.temperature=${VAL_TEMPERATURE} \
  +trainer.tracking_api_key="$HF_TOKEN" +actor_rollout_ref.model.override_config.note="uses $HF_TOKEN" \
  trainer.experiment_name='Strict Judge (v2)' trainer.nnodes=2 \
  trainer.save_freq=20 trainer.test_freq=6 trainer.total_training_steps=300 \
  2>&1 | tee train.log   # not part of the command
