"""The numbers of a script, under the names of our presets; what it leaves out is verl's default."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rrm.errors import InvalidSpec
from rrm.presets.preset import Preset
from rrm.presets.verl_keys import ACTOR, KEY_OF, ROLLOUT
from rrm.seed_import.keys import DEFAULTS
from rrm.seed_import.shell import Word
from rrm_api.spec_train import Reasoning

WHOLE: Final = (
    "epochs", "batch_size", "mini_batch_size", "rollouts_per_prompt", "tensor_parallel",
    "max_prompt_tokens", "max_response_tokens", "lora_rank",
)  # fmt: skip
RATES: Final = ("learning_rate", "entropy_coefficient", "temperature", "gpu_memory_utilization")


class Keys:
    """The keys that a script sets, read as numbers; what it does not set is verl's default."""

    def __init__(self, arguments: Mapping[str, Word]) -> None:
        """Take the arguments of the trainer's command."""
        self._arguments = arguments

    def text(self, key: str) -> str:
        """Return a value as text.

        Raises:
            InvalidSpec: If only a shell could know it.
        """
        word = self._arguments.get(key, Word(DEFAULTS.get(key, "null")))
        if word.unresolved:
            raise InvalidSpec(
                f"{key}: expected a number, found {', '.join(word.unresolved)}, which only a shell knows; "
                "give its variable with --set NAME=VALUE, or write the number into the script"
            )
        return word.text

    def whole(self, key: str) -> int:
        """Return a value as a whole number."""
        text = self.text(key)
        try:
            return int(text)
        except ValueError:
            raise InvalidSpec(f"{key}: expected a whole number, found {text}; correct the script") from None

    def optional(self, key: str) -> int | None:
        """Return a whole number, or None where it is unset or not positive."""
        if self.text(key).lower() in {"null", "none", ""}:
            return None
        number = self.whole(key)
        return number if number > 0 else None

    def rate(self, key: str) -> float:
        """Return a value as a number."""
        text = self.text(key)
        try:
            return float(text)
        except ValueError:
            raise InvalidSpec(f"{key}: expected a number, found {text}; correct the script") from None

    def unset(self) -> list[str]:
        """Return `key=value` for each default of verl that the script leaves alone."""
        return [f"{key}={value}" for key, value in DEFAULTS.items() if key not in self._arguments]

    def claim(self, key: str) -> bool:
        """Return a yes or no."""
        return self.text(key).lower() in {"true", "1", "yes"}


def script_numbers(keys: Keys) -> dict[str, Any]:
    """Return the numbers; None = the script leaves it to us.

    Raises:
        InvalidSpec: If one is no number, or no group of answers is sampled.
    """
    found: dict[str, Any] = {name: keys.whole(KEY_OF[name]) for name in WHOLE}
    found |= {name: keys.rate(KEY_OF[name]) for name in RATES}
    if found["rollouts_per_prompt"] < 2:
        raise InvalidSpec(
            f"{ROLLOUT}.n is {found['rollouts_per_prompt']}: GRPO compares the answers to one prompt and "
            "needs at least 2; correct the script"
        )
    clip = keys.rate(f"{ACTOR}.clip_ratio")
    for side in ("clip_ratio_low", "clip_ratio_high"):
        found[side] = clip if keys.text(KEY_OF[side]) == "null" else keys.rate(KEY_OF[side])
    found["max_steps"] = keys.optional(KEY_OF["max_steps"])
    found["micro_batch_size_per_gpu"] = keys.optional(KEY_OF["micro_batch_size_per_gpu"])
    found["warmup_steps"] = keys.optional(KEY_OF["warmup_steps"]) or 0
    found["filter_groups"] = keys.claim("algorithm.filter_groups.enable")
    has_kl = keys.claim(f"{ACTOR}.use_kl_loss")
    found["kl_coefficient"] = keys.rate(KEY_OF["kl_coefficient"]) if has_kl else 0.0
    return found | _intervals(keys)


def _intervals(keys: Keys) -> dict[str, int | None]:
    """Return both intervals; validating moves to a divisor of saving, as each checkpoint is validated."""
    save, evaluate = keys.optional(KEY_OF["save_every_steps"]), keys.optional(KEY_OF["evaluate_every_steps"])
    if save and evaluate and save % evaluate:
        evaluate = max(d for d in range(1, evaluate + 1) if save % d == 0)
    return {"save_every_steps": save, "evaluate_every_steps": evaluate}


def remarks(keys: Keys, numbers: Mapping[str, Any]) -> list[str]:
    """Return what a person should know about how the numbers came about."""
    found = []
    if unset := keys.unset():
        found.append(f"not in the script, so verl 0.4.0's defaults are taken: {', '.join(unset)}")
    for name in ("save_every_steps", "evaluate_every_steps"):
        said = keys.optional(KEY_OF[name])
        if said is None:
            found.append(f"{KEY_OF[name]}: the script never does; the preset's interval is taken")
        elif said != numbers[name]:
            found.append(
                f"{KEY_OF[name]}={said}: became {numbers[name]}, as every checkpoint must be validated"
            )
    return found


def decimal(number: float) -> str:
    """Return a number as the spec writes it.

    >>> decimal(3e-06), decimal(0.001), decimal(0.0)
    ('3e-6', '0.001', '0')
    """
    return re.sub(r"e-0+", "e-", f"{number:.12g}")


def preset_number(preset: Preset, name: str, kind: Reasoning) -> Any:
    """Return a preset's number as the script's is written; absent ones are None."""
    value = getattr(preset, name, None)
    number = value.value if value is not None else None
    return number[kind] if isinstance(number, dict) else number


def nearest_preset(presets: list[Preset], numbers: Mapping[str, Any], kind: Reasoning) -> Preset:
    """Return the preset with the most numbers of the script; the first of equals."""
    return max(presets, key=lambda p: sum(preset_number(p, name, kind) == n for name, n in numbers.items()))
