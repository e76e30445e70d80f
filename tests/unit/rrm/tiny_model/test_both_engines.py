"""A tokenizer that transformers 5 saved, in words that transformers 4 reads too."""

import json
from pathlib import Path

import pytest

from rrm.tiny_model.both_engines import let_both_read

NEWER = {"tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["<a>"], "eos_token": "<e>"}
OLDER = {"tokenizer_class": "PreTrainedTokenizer", "extra_special_tokens": {}, "eos_token": "<e>"}


@pytest.mark.parametrize(
    ("saved", "special"), [(NEWER, {"additional_special_tokens": ["<a>"]}), (OLDER, {})], ids=["5", "4"]
)
def test_class_and_special_tokens_are_said_in_the_older_words(
    tmp_path: Path, saved: dict[str, object], special: dict[str, object]
) -> None:
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(saved))
    for _ in range(2):  # a second time changes nothing
        let_both_read(tmp_path)
        found = json.loads(path.read_text())
        assert found == {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<e>", **special}
