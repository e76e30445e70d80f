"""What a preset is: one complete set of hyper-parameters, each number with its source in words."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, Literal, TypeVar

from rrm_api.spec_train import Method, Reasoning

AUTO: Final = "auto"
"""The number follows from model size, GPU memory and lengths: see `rrm.presets.memory`."""
Auto = Literal["auto"]
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Value(Generic[T_co]):
    """A number and who says so."""

    value: T_co
    source: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One named set; units in `UNITS`.

    Attributes:
        name: As in `spec.preset`.
        method: The only method it is made for.
        about: One sentence for the list of presets.
        model_parameters: Size that `auto` reckons with where the model's name tells none.
        warmup_steps: Steps over which the learning rate rises from 0.
        lora_rank: 0 = all weights are trained.
        max_tokens_per_gpu: Dynamic batches; None = fixed ones of `micro_batch_size_per_gpu` answers.
        gpu_memory_utilization: vLLM's part of each GPU.
    """

    name: str
    method: Method
    about: str
    model_parameters: Value[int]
    epochs: Value[int]
    batch_size: Value[int]
    mini_batch_size: Value[int]
    micro_batch_size_per_gpu: Value[int | Auto]
    max_tokens_per_gpu: Value[int | Auto | None]
    rollouts_per_prompt: Value[int]
    filter_groups: Value[bool]
    learning_rate: Value[float]
    warmup_steps: Value[int]
    kl_coefficient: Value[float]
    entropy_coefficient: Value[float]
    clip_ratio_low: Value[float]
    clip_ratio_high: Value[float]
    temperature: Value[float]
    lora_rank: Value[int]
    evaluate_every_steps: Value[int]
    save_every_steps: Value[int]
    tensor_parallel: Value[int]
    gpu_memory_utilization: Value[float | Auto]
    max_prompt_tokens: Value[int]
    max_response_tokens: Value[dict[Reasoning, int]]

    def values(self) -> Iterator[tuple[str, Value[Any]]]:
        """Yield every number under its name, in the order above."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Value):
                yield field.name, value


UNITS: Final = {
    "model_parameters": "parameters",
    "epochs": "passes over the rows",
    "max_steps": "steps",
    "batch_size": "prompts per step",
    "mini_batch_size": "prompts per update",
    "micro_batch_size_per_gpu": "answers per pass",
    "max_tokens_per_gpu": "tokens per pass",
    "rollouts_per_prompt": "answers",
    "filter_groups": "",
    "learning_rate": "",
    "warmup_steps": "steps",
    "kl_coefficient": "",
    "entropy_coefficient": "",
    "clip_ratio_low": "",
    "clip_ratio_high": "",
    "temperature": "",
    "lora_rank": "",
    "evaluate_every_steps": "steps",
    "save_every_steps": "steps",
    "tensor_parallel": "GPUs per vLLM server",
    "gpu_memory_utilization": "of a GPU's memory",
    "max_prompt_tokens": "tokens",
    "max_response_tokens": "tokens",
}
"""Unit of every number of a preset and of `Hyperparameters`; empty = dimensionless."""


def shown(value: object) -> str:
    """Return a number as people write it.

    >>> [shown(v) for v in (1e-6, 0.6, True, None, {Reasoning.NATIVE: 4096, Reasoning.NONE: 16})]
    ['1e-06', '0.6', 'yes', 'none', 'Native 4096, None 16']
    """
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict():
            return ", ".join(f"{key} {number}" for key, number in value.items())
        case _:
            return str(value)
