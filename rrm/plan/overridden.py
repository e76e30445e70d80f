"""Raw keys of the trainer's configuration, where they say a number that the sums depend on."""

from dataclasses import replace
from math import isfinite
from typing import Any, Final

from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.verl_keys import KEY_OF

FIELD_OF: Final = {key: name for name, key in KEY_OF.items()}
POSITIVE_WHOLE: Final = {
    "batch_size", "mini_batch_size", "micro_batch_size_per_gpu", "max_tokens_per_gpu", "rollouts_per_prompt",
    "evaluate_every_steps", "save_every_steps", "tensor_parallel", "max_prompt_tokens", "max_response_tokens",
}  # fmt: skip
SHARES_AND_RATES: Final = {
    "learning_rate", "kl_coefficient", "entropy_coefficient", "clip_ratio_low", "clip_ratio_high",
    "temperature", "gpu_memory_utilization",
}  # fmt: skip


def overridden(numbers: Hyperparameters, overrides: dict[str, str]) -> tuple[Hyperparameters, set[str]]:
    """Return the numbers with the spec's raw keys in their place, and the names of those replaced.

    What is no finite number (an interpolation that verl resolves itself) changes nothing here.
    """
    found: dict[str, Any] = {}
    for key, text in overrides.items():
        name = FIELD_OF.get(key.lstrip("+"), "")
        try:
            if name in POSITIVE_WHOLE and int(text) > 0:
                found[name] = int(text)
            elif name in SHARES_AND_RATES and isfinite(float(text)):
                found[name] = float(text)
            elif name in {"warmup_steps", "lora_rank"}:
                found[name] = max(0, int(text))
        except ValueError:
            continue
    return replace(numbers, **found), set(found)
