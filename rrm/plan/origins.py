"""Where every effective number comes from: a field of the spec, the preset with its source, or a formula."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.preset import AUTO, UNITS, Preset, shown
from rrm.reasoning import resolve_reasoning
from rrm_api.fields import api_name
from rrm_api.run import Intent
from rrm_api.spec_pods import SECRET_NAME

FORMULAS: Final = {
    "epochs": "derived: training.maxSteps alone bounds the run",
    "max_steps": "derived: as many as the epochs hold",
    "batch_size": "derived: whole mini-batches, up to the preset's {preset}",
    "mini_batch_size": "derived: near the preset's {preset}, such that {gpus} GPUs get equally many answers",
    "micro_batch_size_per_gpu": "derived: as many of the longest answers as fit {gpu} GB with {model}",
    "max_tokens_per_gpu": "derived: what weights, gradients and Adam of {model} leave of {gpu} GB",
    "evaluate_every_steps": "derived: divides checkpoints.everySteps, up to the preset's {preset}",
    "save_every_steps": "derived: the preset's {preset}, up to a multiple of evaluateEverySteps",
    "tensor_parallel": "derived: divides workers.gpusPerNode, up to the preset's {preset}",
    "gpu_memory_utilization": "derived: what weights and Adam of {model} leave of {gpu} GB, .3 to .8",
}
RAW: Final = "spec.training.overrides: wins over all else"
FIXED_BATCHES: Final = "derived: training.microBatchSizePerGPU asks for fixed batches"


@dataclass(frozen=True)
class Setting:
    """One effective number.

    Attributes:
        name: As in `Hyperparameters`.
        value: Ready for JSON.
        origin: In words.
    """

    name: str
    value: Any
    unit: str
    origin: str


@dataclass(frozen=True)
class Assumed:
    """What formulas reckoned with, in words."""

    model: str
    gpu_gigabytes: int


def settings(
    intent: Intent,
    numbers: Hyperparameters,
    preset: Preset,
    *,
    assumed: Assumed,
    replaced: Collection[str] = (),
) -> Iterator[Setting]:
    """Yield every effective number with its origin, then the raw keys and what they `replaced`."""
    for field in fields(numbers):
        if field.name == "preset":
            origin = "spec.preset" if intent.preset else f"the newest of the method {intent.method}"
            yield Setting("preset", numbers.preset, "", origin)
            continue
        value = getattr(numbers, field.name)
        is_replaced = field.name in replaced
        origin = RAW if is_replaced else _origin(field.name, value, of=(intent, preset), assumed=assumed)
        yield Setting(field.name, value, UNITS[field.name], origin)
    for key, text in intent.training.overrides.items():
        yield Setting(key, masked(key, text), "", RAW)


def masked(key: str, text: str) -> str:
    """Return the value of a raw key, unless the key is named like a secret: plans are passed on.

    >>> masked("ray_init.runtime_env.env_vars.WANDB_API_KEY", "k"), masked("trainer.nnodes", "2")
    ('***', '2')
    """
    return "***" if re.search(SECRET_NAME, key.rpartition(".")[2]) else text


def given(intent: Intent, name: str) -> tuple[str, Any]:
    """Return the spec's field for a number and what it says there; None = nothing."""
    match name:
        case "save_every_steps":
            return "spec.checkpoints.everySteps", intent.save_every_steps
        case "max_prompt_tokens" | "max_response_tokens":
            return f"spec.data.{api_name(name)}", getattr(intent.data, name)
        case _:
            return f"spec.training.{api_name(name)}", getattr(intent.training, name, None)


def _origin(name: str, value: object, *, of: tuple[Intent, Preset], assumed: Assumed) -> str:
    intent, preset = of
    path, said = given(intent, name)
    if said is not None:
        return path
    usual = getattr(preset, name, None)
    number = usual.value if usual else None
    if isinstance(number, dict):
        number = number[resolve_reasoning(intent.model).kind]
    if usual and number == value:
        return f"preset: {usual.source}"
    if name == "max_tokens_per_gpu" and value is None:
        return FIXED_BATCHES
    formula = FORMULAS[name].format(
        preset=shown(number),
        gpus=intent.nodes * intent.gpus_per_node,
        gpu=assumed.gpu_gigabytes,
        model=assumed.model,
    )
    return f"{formula} ({usual.source})" if usual and number == AUTO else formula
