"""What will not fit, each time with field, value and remedy. Warnings only: the sums are estimates."""

from collections.abc import Iterator
from dataclasses import dataclass

from rrm.plan.columns import gigabytes
from rrm.plan.sums import Disk, tokens_of_a_pass
from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.memory import Cluster, Load, cache_bytes_per_token
from rrm.presets.model_size import Shape
from rrm_api.quantities import amount
from rrm_api.run import Intent


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Everything that is weighed against each other."""

    numbers: Hyperparameters
    shape: Shape
    cluster: Cluster
    load: Load | None
    disk: Disk
    volume_size: str | None


def warnings(intent: Intent, sums: Sums) -> list[str]:
    """Return one sentence per thing that will not fit or cannot work."""
    found = list(_disk(sums))
    if sums.load is not None:
        found += [*_update(intent, sums, sums.load), *_rollout(intent, sums, sums.load)]
    return found


def _update(intent: Intent, sums: Sums, load: Load) -> Iterator[str]:
    numbers, gpu = sums.numbers, sums.cluster.gpu_bytes
    pass_tokens = tokens_of_a_pass(numbers)
    if load.update > gpu:
        fixed = load.update - load.activations
        where = f"spec.workers: {intent.nodes} x {intent.gpus_per_node} GPUs"
        if fixed > gpu:
            yield (
                f"{where}: weights, gradients and Adam alone take {gigabytes(fixed)} of a GPU's "
                f"{gigabytes(gpu)}; use more nodes, a smaller model or a preset with LoRA"
            )
        else:
            yield (
                f"{where}: an update with passes of {pass_tokens} tokens takes {gigabytes(load.update)} of a "
                f"GPU's {gigabytes(gpu)}; lower training.microBatchSizePerGPU "
                f"({numbers.micro_batch_size_per_gpu}) or data.maxResponseTokens "
                f"({numbers.max_response_tokens}), or use more nodes"
            )
    if pass_tokens < numbers.room:
        yield (
            f"max_tokens_per_gpu {pass_tokens} holds no prompt of {numbers.max_prompt_tokens} with an answer "
            f"of {numbers.max_response_tokens} tokens; lower data.maxPromptTokens or data.maxResponseTokens"
        )


def _rollout(intent: Intent, sums: Sums, load: Load) -> Iterator[str]:
    numbers, gpu = sums.numbers, sums.cluster.gpu_bytes
    kept = load.generation - load.rollout
    if load.generation > gpu > kept:  # what is kept beside vLLM and does not fit is said of the update
        yield (
            f"gpu_memory_utilization {numbers.gpu_memory_utilization:g}: vLLM beside weights and Adam takes "
            f"{gigabytes(load.generation)} of a GPU's {gigabytes(gpu)}; set training.overrides "
            "actor_rollout_ref.rollout.gpu_memory_utilization lower, or use more nodes"
        )
    one_answer = numbers.room * cache_bytes_per_token(sums.shape) // numbers.tensor_parallel
    if load.rollout_weights + one_answer > load.rollout:
        yield (
            f"spec.training.tensorParallel {numbers.tensor_parallel}: vLLM's part of "
            f"{gigabytes(load.rollout)} does not hold {gigabytes(load.rollout_weights)} of weights and the "
            f"cache of one answer; use {_more(intent, numbers)}"
        )


def _more(intent: Intent, numbers: Hyperparameters) -> str:
    larger = [
        d
        for d in range(numbers.tensor_parallel + 1, intent.gpus_per_node + 1)
        if intent.gpus_per_node % d == 0
    ]
    return f"tensorParallel {larger[0]}" if larger else "GPUs with more memory or more of them per node"


def _disk(sums: Sums) -> Iterator[str]:
    if sums.volume_size is None:
        return
    size = float(amount(sums.volume_size))
    if sums.disk.total > size:
        yield (
            f"spec.checkpoints.volume.size {sums.volume_size} is {gigabytes(size)}, but {sums.disk.kept} "
            f"checkpoints of {gigabytes(sums.disk.checkpoint)} and the exported model need "
            f"{gigabytes(sums.disk.total)}; use a larger volume or a smaller checkpoints.keepLast"
        )
