"""How many tokens texts are, if the training's tokenizer is at hand; nothing is fetched for it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rrm.errors import RrmError
from rrm.report.attempts import read_attempts
from rrm.report.reading import Gaps
from rrm.train.attempt import Attempt
from rrm.train.weights import weights_folder
from rrm_api.run import RunFile

FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "tokenizer.model")


@dataclass(frozen=True)
class Tokens:
    """Counts, one per text; None where there is no tokenizer, and then why."""

    counts: tuple[int | None, ...]
    why_none: str


def count_tokens(root: Path, claims: Path, texts: Sequence[str]) -> Tokens:
    """Return how many tokens each text is; special tokens that a chat template adds are not counted."""
    folder = _folder(root, claims)
    if folder is None or not any((folder / name).is_file() for name in FILES):
        where = "the training's run file is not readable" if folder is None else f"no tokenizer in {folder}"
        return Tokens((None,) * len(texts), f"not counted, {where}; --claims says where other claims lie")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # it would warn that there is no torch
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        return Tokens((None,) * len(texts), f"not counted, {folder}: {str(error).splitlines()[0]}")
    encoded = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)
    return Tokens(tuple(len(ids) for ids in encoded["input_ids"]), "")


def _folder(root: Path, claims: Path) -> Path | None:
    attempts = read_attempts(root, Gaps(root))
    if not attempts:
        return None
    try:
        run = RunFile.model_validate_json((attempts[-1].folder / "run.json").read_text(encoding="utf-8"))
        return weights_folder(Attempt(run=run, volume=root.parent, claims=claims, number=attempts[-1].number))
    except (OSError, ValueError, RrmError):
        return None
