"""The trainer's command inside a script: its keys with their values."""

import re
from collections.abc import Iterable
from typing import Final

from rrm.errors import InvalidSpec
from rrm.seed_import.shell import Script, Word

TRAINER: Final = "verl.trainer.main_ppo"
OTHERS: Final = {
    "fsdp_sft_trainer": "supervised fine-tuning",
    "sft_trainer": "supervised fine-tuning",
    "torchrun": "a trainer of its own by torchrun",
}
_SETTING: Final = re.compile(r"\+{0,2}[a-z_]+\.[\w.]+=")


def trainer_arguments(script: Script) -> tuple[dict[str, Word], list[Word]]:
    """Return the keys that the script gives to the trainer, and words that set none; the last of a key wins.

    Raises:
        InvalidSpec: If the script does not start verl's GRPO trainer exactly once.
    """
    starts = [words for words in script.commands if any(word.text == TRAINER for word in words)]
    if len(starts) != 1:
        raise InvalidSpec(
            f"expected one command `python3 -m {TRAINER} key=value ...`, found "
            f"{len(starts) or _instead(script)}; `rrm import` reads launch scripts of verl's GRPO trainer"
        )
    words = starts[0]
    after = words[[word.text for word in words].index(TRAINER) + 1 :]
    found: dict[str, Word] = {}
    other: list[Word] = []
    for word in after:
        key, is_pair, value = word.text.partition("=")
        if is_pair and not key.startswith(("-", "$")):
            found[key.lstrip("+")] = Word(_unquoted(value), word.unresolved, word.variables)
        elif not re.match(r"\d*[<>]", word.text):
            other.append(word)
    return found, other + _astray(script)


def _astray(script: Script) -> list[Word]:
    """Return settings that stand outside every command: a comment or an empty line ended it before them."""
    return [word for words in script.commands for word in words if _SETTING.match(words[0].text)]


def _unquoted(value: str) -> str:
    """Return a value without Hydra's own quotes."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def _instead(script: Script) -> str:
    said = {name for words in script.commands for word in words for name in OTHERS if name in word.text}
    return f"{_first(sorted(said))}" if said else "none"


def _first(names: Iterable[str]) -> str:
    name = next(iter(names))
    return f"{OTHERS[name]} ({name})"
