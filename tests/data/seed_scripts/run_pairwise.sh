#!/bin/bash
# Pairwise judge on HelpSteer2-Preference, both orders of each pair as rows.
set -x

MODEL_NAME=${MODEL_NAME:-Qwen/Qwen3-14B}
TIMESTAMP=$(date +"%Y%m%d%H%M")
N_GPUS_PER_NODE=${N_GPUS_PER_NODE:-8}
N_NODES=${N_NODES:-1}
TRAIN_FILE=./data/helpsteer2_pairwise_train.parquet
VAL_FILE="./data/helpsteer2_pairwise_test.parquet"
PROJECT_NAME=helpfulness-pairwise
EXPERIMENT_NAME="pairwise-$TIMESTAMP"

ray job submit --address="http://${MASTER_ADDR}:8265" \
    --runtime-env="./examples/train/pairwise/runtime_env.yaml" \
    -- \
    python3 -m verl.trainer.main_ppo \
    algorithm.adv_estimator=grpo \
    algorithm.use_kl_in_reward=False \
    data.train_files="${TRAIN_FILE}" \
    data.val_files="${VAL_FILE}" \
    data.train_batch_size=96 \
    data.val_batch_size=192 \
    data.max_prompt_length=4096 \
    data.max_response_length=2048 \
    data.filter_overlong_prompts=True \
    data.truncation='right' \
    data.prompt_key='input' \
    data.custom_cls.path="./examples/train/pairwise/dataset.py" \
    data.custom_cls.name="HelpfulnessPairwiseTrainDataset" \
    custom_reward_function.path="./examples/train/pairwise/reward.py" \
    custom_reward_function.name=compute_score \
    reward_model.reward_manager=naive \
    actor_rollout_ref.model.path=${MODEL_NAME} \
    actor_rollout_ref.model.use_remove_padding=True \
    actor_rollout_ref.model.enable_gradient_checkpointing=True \
    actor_rollout_ref.actor.optim.lr=1e-6 \
    actor_rollout_ref.actor.ppo_mini_batch_size=24 \
    actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=1 \
    actor_rollout_ref.actor.use_kl_loss=True \
    actor_rollout_ref.actor.kl_loss_coef=0.001 \
    actor_rollout_ref.actor.kl_loss_type=low_var_kl \
    actor_rollout_ref.actor.entropy_coeff=0 \
    actor_rollout_ref.actor.fsdp_config.param_offload=False \
    actor_rollout_ref.actor.fsdp_config.optimizer_offload=False \
    actor_rollout_ref.rollout.name=vllm \
    actor_rollout_ref.rollout.n=4 \
    actor_rollout_ref.rollout.tensor_model_parallel_size=${N_GPUS_PER_NODE} \
    actor_rollout_ref.rollout.gpu_memory_utilization=0.6 \
    actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=1 \
    actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=1 \
    actor_rollout_ref.ref.fsdp_config.param_offload=True \
    trainer.critic_warmup=0 \
    trainer.logger=['console','wandb'] \
    trainer.project_name="${PROJECT_NAME}" \
    trainer.experiment_name="${EXPERIMENT_NAME}" \
    trainer.default_local_dir="./checkpoints/${PROJECT_NAME}/${EXPERIMENT_NAME}" \
    trainer.n_gpus_per_node=${N_GPUS_PER_NODE} \
    trainer.nnodes=${N_NODES} \
    trainer.val_before_train=False \
    trainer.save_freq=20 \
    trainer.test_freq=2 \
    trainer.total_epochs=10 "$@"
