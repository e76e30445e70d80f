"""What a run may cost in GPU-hours: a rough estimate whose every assumption is named, never a promise."""

from dataclasses import dataclass
from typing import Final

from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.memory import Cluster
from rrm.presets.model_size import Shape
from rrm_api.spec_data import Reward

FILL: Final = 0.5
"""Prompts and answers fill half of their room."""
FLOPS: Final = 4.0e14
"""Of one GPU: 40 % of an H100's 989e12 in bf16."""
DECODE_PARAMETERS: Final = 2.0e13
"""Parameters times tokens per second that one GPU writes in large batches: 2,400 tokens/s for 8.2B."""
OVERHEAD_SECONDS: Final = 30.0
"""A step's weight transfer, rewards and waiting."""
EXTRA_ANSWERS: Final = 1.5
"""Answers sampled for each one kept, where groups that teach nothing are replaced."""
ASSUMPTIONS: Final = (
    "GPUs like an H100 (40 % of 989 TFLOPS; 2.0e13 / parameters tokens/s written)",
    "prompts and answers half as long as they may be",
    "30 s a step beside computing",
    "1.5 answers sampled for each kept where groups are filtered",
    "validation rows as known, else 512",
)
ASSUMED_VALIDATION_ROWS: Final = 512


@dataclass(frozen=True)
class Cost:
    """Seconds of one step and one validation, and GPU-hours of the run (None = number of steps unknown)."""

    seconds_per_step: float
    seconds_per_validation: float
    gpu_hours: float | None


def estimate(
    numbers: Hyperparameters,
    shape: Shape,
    cluster: Cluster,
    *,
    total_steps: int | None,
    validation_rows: int | None,
    orders: int = 1,
) -> Cost:
    """Return what a run may cost; `orders` = 2 where each pair is judged both ways round.

    Passes over each token, in 2 FLOP a parameter: 1 for its old probability, 1 for the reference, 4 for the
    update with recomputed activations.
    """
    answers = numbers.batch_size * numbers.rollouts_per_prompt * orders
    passes = 5 + (numbers.kl_coefficient > 0)
    tokens = answers * numbers.room * FILL
    learn = 2 * passes * shape.parameters * tokens / (FLOPS * cluster.gpus)
    sampled = answers * (EXTRA_ANSWERS if numbers.filter_groups else 1)
    step = learn + _writing(sampled, numbers, shape, cluster) + OVERHEAD_SECONDS
    rows = ASSUMED_VALIDATION_ROWS if validation_rows is None else validation_rows
    validation = _writing(rows * orders, numbers, shape, cluster)
    if total_steps is None:
        return Cost(step, validation, None)
    looks = 1 + total_steps // numbers.evaluate_every_steps
    hours = (total_steps * step + looks * validation) / 3600 * cluster.gpus
    return Cost(step, validation, hours)


def orders_of(reward: Reward) -> int:
    """Return how often a rollout judges a pair: twice where being right in both orders is paid.

    >>> orders_of(Reward.model_validate({"pairwise": {"swapConsistencyWeight": "0.5"}}))
    2
    """
    pairwise = reward.pairwise
    return 2 if pairwise is not None and float(pairwise.swap_consistency_weight) > 0 else 1


def _writing(answers: float, numbers: Hyperparameters, shape: Shape, cluster: Cluster) -> float:
    """Return the seconds that all GPUs need to write so many answers."""
    tokens = answers * numbers.max_response_tokens * FILL
    return tokens * shape.parameters / (DECODE_PARAMETERS * cluster.gpus)
