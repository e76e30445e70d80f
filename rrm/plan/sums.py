"""Memory and disk sums of a run, in bytes; pure."""

from dataclasses import dataclass

from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.memory import (
    ADAM_BYTES,
    BF16_BYTES,
    MASTER_BYTES,
    Cluster,
    Load,
    activation_bytes_per_token,
    fixed_bytes,
    trained_parameters,
)
from rrm.presets.model_size import Shape
from rrm_api.run import Intent


def memory_load(numbers: Hyperparameters, shape: Shape, cluster: Cluster, *, nodes: int) -> Load:
    """Return the bytes on each GPU, and of the reference model in each node's own memory.

    Worked by hand for Qwen3-8B on 8 GPUs with 8192 tokens a pass: weights 4 x 8.19e9 / 8 = 4.1 GB, gradients
    as much, Adam 8.2 GB, two gathered layers .9 GB, activations 8192 x 1.98e6 = 16.2 GB.
    """
    weights, gradients, adam, gathered = fixed_bytes(shape, cluster, lora_rank=numbers.lora_rank)
    has_reference = numbers.kl_coefficient > 0 and not numbers.lora_rank
    return Load(
        weights=weights,
        gradients=gradients,
        adam=adam,
        gathered=gathered,
        activations=tokens_of_a_pass(numbers) * activation_bytes_per_token(shape),
        rollout=round(numbers.gpu_memory_utilization * cluster.gpu_bytes),
        rollout_weights=BF16_BYTES * shape.parameters // numbers.tensor_parallel,
        reference=BF16_BYTES * shape.parameters // nodes if has_reference else 0,
    )


def tokens_of_a_pass(numbers: Hyperparameters) -> int:
    """Return the most tokens that one forward and backward pass of a GPU holds."""
    return numbers.max_tokens_per_gpu or numbers.micro_batch_size_per_gpu * numbers.room


@dataclass(frozen=True, kw_only=True)
class Disk:
    """Bytes on the training's claim.

    Attributes:
        checkpoint: Of one.
        kept: How many there are at most: the last ones, the best, and one being written.
        model: Copy of the hub's weights; 0 = they lie on another claim.
    """

    checkpoint: int
    kept: int
    export: int
    model: int

    @property
    def total(self) -> int:
        """Bytes at the fullest moment, without rows and logs."""
        return self.checkpoint * self.kept + self.export + self.model


def disk_use(intent: Intent, shape: Shape, *, lora_rank: int) -> Disk:
    """Return what a run leaves on its claim.

    12 bytes a parameter for a checkpoint (float32 weights and Adam's two moments), 2 for an export; an
    adapter's checkpoint holds the frozen weights in float32 and 12 bytes for each of its own.
    """
    trained = trained_parameters(shape, lora_rank)
    frozen = shape.parameters if lora_rank else 0
    model = BF16_BYTES * shape.parameters
    return Disk(
        checkpoint=MASTER_BYTES * frozen + (MASTER_BYTES + ADAM_BYTES) * trained,
        kept=intent.keep_last + intent.keep_best + 1,
        export=model if intent.export_enabled else 0,
        model=0 if intent.model.volume else model,
    )
