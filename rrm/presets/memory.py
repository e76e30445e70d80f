"""What fits on a GPU: sums in bytes for FSDP2 beside vLLM, and the numbers that a preset calls `auto`.

Two moments fill a GPU. *Update*: weights, gradients and Adam in float32, cut over all GPUs, one gathered
layer and the activations of one pass; vLLM sleeps. *Rollout*: weights and Adam stay, vLLM takes its part.
The reference model waits in the host's memory. A pass holds no padding: dynamic batches count tokens, so they
want packed rows (verl's `use_remove_padding`). All sums are estimates, not measured on GPUs.
"""

from dataclasses import dataclass
from typing import Final

from rrm.presets.model_size import Shape

GPU_BYTES: Final = 80_000_000_000
"""An "80 GB" GPU: what `auto` reckons with."""
RESERVE_BYTES: Final = 4_000_000_000
"""CUDA context, NCCL buffers, what sleeping vLLM keeps, fragments."""
MASTER_BYTES: Final = 4
"""Of one float32 weight, and of its gradient."""
ADAM_BYTES: Final = 8
"""Of one weight's two moments."""
BF16_BYTES: Final = 2
LEAST_UTILIZATION: Final = 0.3
MOST_UTILIZATION: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """How many GPUs share the weights, and what each holds."""

    gpus: int
    gpu_bytes: int = GPU_BYTES


@dataclass(frozen=True, kw_only=True)
class Load:
    """Bytes on each GPU, by purpose, and on the host; all estimates.

    Attributes:
        reference: Of all of a node's GPUs, in the host's memory.
    """

    weights: int
    gradients: int
    adam: int
    gathered: int
    activations: int
    rollout: int
    rollout_weights: int
    reference: int
    reserve: int = RESERVE_BYTES

    @property
    def update(self) -> int:
        """Bytes while the weights are updated."""
        return self.weights + self.gradients + self.adam + self.gathered + self.activations + self.reserve

    @property
    def generation(self) -> int:
        """Bytes while answers are written."""
        return self.weights + self.adam + self.rollout + self.reserve


def adapter_parameters(shape: Shape, rank: int) -> int:
    """Return the weights of LoRA adapters on all seven linear layers of each block.

    >>> from rrm.presets.model_size import SHAPES
    >>> adapter_parameters(SHAPES["8B"], 64)
    174587904
    """
    heads = 4 * shape.hidden + 2 * shape.kv_width + 2 * shape.hidden
    per_layer = heads + 3 * (shape.hidden + shape.intermediate)
    return shape.layers * rank * per_layer


def trained_parameters(shape: Shape, lora_rank: int) -> int:
    """Return how many weights have a gradient; rank 0 = all."""
    return adapter_parameters(shape, lora_rank) if lora_rank else shape.parameters


def activation_bytes_per_token(shape: Shape) -> int:
    """Return what one token of a pass costs with gradient checkpointing.

    Each layer's input in bf16, one layer written out again, and the logits in bf16 and float32 with their
    float32 gradient, which are most of it.

    >>> from rrm.presets.model_size import SHAPES
    >>> activation_bytes_per_token(SHAPES["8B"])
    1982208
    """
    inputs = BF16_BYTES * shape.layers * shape.hidden
    layer = BF16_BYTES * (8 * shape.hidden + 2 * shape.kv_width + 4 * shape.intermediate)
    logits = shape.vocabulary * (BF16_BYTES + 2 * MASTER_BYTES)
    return inputs + layer + logits


def cache_bytes_per_token(shape: Shape) -> int:
    """Return what one token costs in vLLM's cache: a key and a value per layer, bf16.

    >>> from rrm.presets.model_size import SHAPES
    >>> cache_bytes_per_token(SHAPES["8B"])
    147456
    """
    return 2 * BF16_BYTES * shape.layers * shape.kv_width


def fixed_bytes(shape: Shape, cluster: Cluster, *, lora_rank: int) -> tuple[int, int, int, int]:
    """Return bytes per GPU of weights, gradients, Adam and gathered layers.

    >>> from rrm.presets.model_size import SHAPES
    >>> fixed_bytes(SHAPES["8B"], Cluster(gpus=8), lora_rank=0)
    (4095367680, 4095367680, 8190735360, 910081706)
    """
    trained = trained_parameters(shape, lora_rank)
    held = shape.parameters + (trained if lora_rank else 0)
    return (
        MASTER_BYTES * held // cluster.gpus,
        MASTER_BYTES * trained // cluster.gpus,
        ADAM_BYTES * trained // cluster.gpus,
        2 * BF16_BYTES * shape.parameters // shape.layers,  # one at work, the next on its way
    )


def tokens_per_gpu(shape: Shape, cluster: Cluster, *, lora_rank: int, room: int) -> int:
    """Return how many tokens one pass may hold: what is left, in steps of 1024.

    At least one whole prompt with answer (`room`), even if that will not fit; at most four.

    >>> from rrm.presets.model_size import SHAPES
    >>> tokens_per_gpu(SHAPES["8B"], Cluster(gpus=8), lora_rank=0, room=12288)
    28672
    """
    left = cluster.gpu_bytes - RESERVE_BYTES - sum(fixed_bytes(shape, cluster, lora_rank=lora_rank))
    fitting = left // activation_bytes_per_token(shape) // 1024 * 1024
    return min(max(fitting, room), 4 * room)


def memory_utilization(shape: Shape, cluster: Cluster, *, lora_rank: int) -> float:
    """Return vLLM's share of a GPU: what weights and Adam leave, in steps of .05, from .3 to .8.

    >>> from rrm.presets.model_size import SHAPES
    >>> [memory_utilization(SHAPES["32B"], Cluster(gpus=n), lora_rank=0) for n in (8, 16, 64)]
    [0.3, 0.6, 0.8]
    """
    weights, _, adam, _ = fixed_bytes(shape, cluster, lora_rank=lora_rank)
    left = cluster.gpu_bytes - RESERVE_BYTES - weights - adam
    steps = left * 20 // cluster.gpu_bytes
    return min(max(steps / 20, LEAST_UTILIZATION), MOST_UTILIZATION)
