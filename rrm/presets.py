"""Presets: complete sets of hyper-parameters, and how a training's own values override them.

An intent goes in, every effective number comes out; nothing downstream has defaults of its own.

Sources of `pointwise-v1` ("seed" = RM-Gallery's pointwise recipe, Qwen3-8B, verl 0.4.0):

| value | is | from |
|---|---|---|
| batch_size, mini_batch_size | 96, 24 | seed; RM-Gallery and OpenJudge agree |
| learning_rate | 1e-6 | seed, RM-R1, J1 |
| kl_coefficient | .001 | seed, RM-R1 |
| temperature | 1 | seed (verl's own default, pinned here) |
| rollouts_per_prompt | 8 | RM-R1 takes 7, seed 4: four answers on five scores often all earn the same |
| epochs | 2 | the seed's curve needs about 370 steps, its script's one epoch holds 169 |
| evaluate_every, save_every | 10, 20 | seed |
| micro_batch_size_per_gpu | 1 | seed; fits 4096 + 4096 tokens on 80 GB up to 14B |
| tensor_parallel | 2 | 2 holds 32B in bf16; seed's 8 leaves an 8B model one server |
| max_prompt_tokens | 4096 | seed |
| max_response_tokens | 4096, 2048, 16 | Native: 2048 left 39 % unreadable; Prompted: seed; None: bare score |
"""

from dataclasses import dataclass
from math import gcd
from typing import Final

from rrm.errors import InvalidSpec
from rrm.methods import METHODS
from rrm.reasoning import resolve_reasoning
from rrm_api.run import Intent
from rrm_api.spec_train import Reasoning


@dataclass(frozen=True)
class Preset:
    """One named set: batches in prompts, micro-batches in answers, lengths in tokens, intervals in steps."""

    name: str
    epochs: int
    batch_size: int
    mini_batch_size: int
    micro_batch_size_per_gpu: int
    rollouts_per_prompt: int
    learning_rate: float
    kl_coefficient: float
    temperature: float
    evaluate_every_steps: int
    save_every_steps: int
    tensor_parallel: int
    max_prompt_tokens: int
    max_response_tokens: dict[Reasoning, int]


PRESETS: Final = {
    "pointwise-v1": Preset(
        name="pointwise-v1",
        epochs=2,
        batch_size=96,
        mini_batch_size=24,
        micro_batch_size_per_gpu=1,
        rollouts_per_prompt=8,
        learning_rate=1e-6,
        kl_coefficient=0.001,
        temperature=1.0,
        evaluate_every_steps=10,
        save_every_steps=20,
        tensor_parallel=2,
        max_prompt_tokens=4096,
        max_response_tokens={Reasoning.NATIVE: 4096, Reasoning.PROMPTED: 2048, Reasoning.NONE: 16},
    ),
}


@dataclass(frozen=True)
class Hyperparameters:
    """Every effective number of a run; units as in `Preset`.

    At least one of `epochs` (None = as many passes as the steps take) and `max_steps` (None = as many as the
    epochs hold) is set.
    """

    preset: str
    epochs: int | None
    max_steps: int | None
    batch_size: int
    mini_batch_size: int
    micro_batch_size_per_gpu: int
    rollouts_per_prompt: int
    learning_rate: float
    kl_coefficient: float
    temperature: float
    evaluate_every_steps: int
    save_every_steps: int
    tensor_parallel: int
    max_prompt_tokens: int
    max_response_tokens: int

    def total_steps(self, train_rows: int) -> int:
        """Return the number of optimizer steps; an incomplete last batch of an epoch is left out.

        Raises:
            InvalidSpec: If the rows do not fill one batch.
        """
        per_epoch = train_rows // self.batch_size
        if per_epoch == 0:
            raise InvalidSpec(
                f"spec.training.batchSize is {self.batch_size}, but only {train_rows} training rows are "
                "left; use a smaller batch or more rows"
            )
        bounds = (self.max_steps, None if self.epochs is None else per_epoch * self.epochs)
        return min(bound for bound in bounds if bound is not None)


def resolve(intent: Intent) -> Hyperparameters:
    """Return every effective number of the run.

    Raises:
        InvalidSpec: If the preset is unknown or the numbers do not fit together.
    """
    preset, wanted = _preset_of(intent), intent.training
    rollouts = wanted.rollouts_per_prompt or preset.rollouts_per_prompt
    batch, mini = _batches(intent, preset, rollouts)
    evaluate, save = _intervals(intent, preset)
    kind = resolve_reasoning(intent.model).kind
    return Hyperparameters(
        preset=preset.name,
        epochs=wanted.epochs or (preset.epochs if wanted.max_steps is None else None),
        max_steps=wanted.max_steps,
        batch_size=batch,
        mini_batch_size=mini,
        micro_batch_size_per_gpu=_micro_batch(intent, preset, answers=mini * rollouts),
        rollouts_per_prompt=rollouts,
        learning_rate=_number(wanted.learning_rate, preset.learning_rate),
        kl_coefficient=_number(wanted.kl_coefficient, preset.kl_coefficient),
        temperature=_number(wanted.temperature, preset.temperature),
        evaluate_every_steps=evaluate,
        save_every_steps=save,
        tensor_parallel=_tensor_parallel(intent, preset),
        max_prompt_tokens=intent.data.max_prompt_tokens or preset.max_prompt_tokens,
        max_response_tokens=intent.data.max_response_tokens or preset.max_response_tokens[kind],
    )


def _preset_of(intent: Intent) -> Preset:
    name = intent.preset or METHODS[intent.method].preset
    if name not in PRESETS:
        raise InvalidSpec(f"spec.preset is {name}; known presets: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def _number(wanted: str | None, preset: float) -> float:
    return preset if wanted is None else float(wanted)


def _batches(intent: Intent, preset: Preset, rollouts: int) -> tuple[int, int]:
    """Return batch and mini-batch in prompts, such that every GPU gets the same number of answers."""
    gpus = intent.nodes * intent.gpus_per_node
    unit = gpus // gcd(gpus, rollouts)  # fewest prompts whose answers spread evenly
    batch, mini = intent.training.batch_size, intent.training.mini_batch_size
    if batch is None:
        mini = mini or -(-preset.mini_batch_size // unit) * unit
        batch = mini * max(1, preset.batch_size // mini)
    elif mini is None:
        mini = max(
            (d for d in _divisors(batch) if d <= preset.mini_batch_size and d % unit == 0), default=batch
        )
    if batch % mini:
        raise InvalidSpec(f"spec.training.batchSize {batch} must be a multiple of miniBatchSize {mini}")
    if mini % unit:
        raise InvalidSpec(
            f"spec.training.miniBatchSize {mini} x rolloutsPerPrompt {rollouts} answers do not spread evenly "
            f"over {gpus} GPUs; use a multiple of {unit} prompts"
        )
    return batch, mini


def _micro_batch(intent: Intent, preset: Preset, *, answers: int) -> int:
    per_gpu = answers // (intent.nodes * intent.gpus_per_node)
    micro = intent.training.micro_batch_size_per_gpu or preset.micro_batch_size_per_gpu
    if per_gpu % micro:
        raise InvalidSpec(
            f"spec.training.microBatchSizePerGPU {micro} must divide the {per_gpu} answers that each GPU "
            "gets per update"
        )
    return micro


def _intervals(intent: Intent, preset: Preset) -> tuple[int, int]:
    """Return the two intervals; saving is a multiple, as only an evaluated checkpoint can be the best."""
    evaluate, save = intent.training.evaluate_every_steps, intent.save_every_steps
    if evaluate is None:
        evaluate = preset.evaluate_every_steps
        if save is not None:
            evaluate = max(d for d in _divisors(save) if d <= evaluate)
    if save is None:
        save = -(-preset.save_every_steps // evaluate) * evaluate
    if save % evaluate:
        raise InvalidSpec(
            f"spec.checkpoints.everySteps {save} must be a multiple of training.evaluateEverySteps {evaluate}"
        )
    return evaluate, save


def _tensor_parallel(intent: Intent, preset: Preset) -> int:
    wanted, gpus = intent.training.tensor_parallel, intent.gpus_per_node
    if wanted is None:
        return max(d for d in _divisors(gpus) if d <= preset.tensor_parallel)
    if gpus % wanted:
        raise InvalidSpec(f"spec.training.tensorParallel {wanted} must divide workers.gpusPerNode {gpus}")
    return wanted


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]
