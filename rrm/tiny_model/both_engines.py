"""A tokenizer's settings in words that transformers 4 (verl 0.4.0) and 5 (verl 0.9.1) share."""

import json
from pathlib import Path


def let_both_read(folder: Path) -> None:
    """Rewrite `tokenizer_config.json`: transformers 5 names a class, and a list, that the older one refuses.

    Args:
        folder: A model's folder, as either of them saved it.
    """
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    extra = settings.pop("extra_special_tokens", None)
    if isinstance(extra, list):
        settings["additional_special_tokens"] = extra
    path.write_text(json.dumps(settings | {"tokenizer_class": "PreTrainedTokenizerFast"}, indent=2) + "\n")
