"""The model's own tokenizer: which weights there are, how long a rendered prompt is. Needs no torch."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rrm.data.hub import WEIGHTS, fetch_tokenizer, find_model
from rrm.data.load import claim_folder
from rrm.errors import ModelUnavailable
from rrm.reasoning import ReasoningRule
from rrm.templates import Message
from rrm_api.spec_train import Model

LOG = logging.getLogger(__name__)
_BATCH: Final = 512


@dataclass(frozen=True)
class ModelTokenizer:
    """A tokenizer with its chat template.

    Attributes:
        tokenizer: The tokenizer of transformers.
        revision: Commit on the hub; None for weights on a claim.
    """

    tokenizer: Any
    revision: str | None

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Tokens that mean something to the model beyond their text, longest first."""
        return tuple(sorted(set(self.tokenizer.all_special_tokens), key=lambda token: (-len(token), token)))

    def lengths(self, prompts: Sequence[list[Message]], reasoning: ReasoningRule) -> Iterator[int]:
        """Yield the number of tokens of each rendered prompt, generation prompt included."""
        for start in range(0, len(prompts), _BATCH):
            texts = self.tokenizer.apply_chat_template(
                list(prompts[start : start + _BATCH]),
                tokenize=False,
                add_generation_prompt=True,
                **reasoning.chat_template_kwargs,
            )
            # Once each: a source with both orders of its pairs asks for every prompt twice.
            unique = list(dict.fromkeys(texts))
            counts = dict(zip(unique, self._count(unique), strict=True))
            yield from (counts[text] for text in texts)

    def _count(self, texts: list[str]) -> list[int]:
        fast = getattr(self.tokenizer, "backend_tokenizer", None)
        if fast is None:
            batch = self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False)
            return [len(ids) for ids in batch["input_ids"]]
        # Half of the time goes into lists of ids that nobody reads; these count without making them.
        fast.no_truncation()
        fast.no_padding()
        return [len(ids) for ids in fast.encode_batch_fast(texts, add_special_tokens=False)]


def load_tokenizer(model: Model, *, claims: Path) -> ModelTokenizer:
    """Return the tokenizer of a model, after checking that its weights are there too.

    Raises:
        ModelUnavailable: If configuration, weights, tokenizer or chat template are missing.
        HubUnreachable: If the hub does not answer.
        VolumeUnavailable: If the model's claim is not here.
    """
    if model.volume is not None:
        folder = claim_folder(claims, model.volume.claim_name) / model.volume.path
        where = f"spec.model.volume pvc://{model.volume.claim_name}/{model.volume.path}"
        if not folder.is_dir():
            raise ModelUnavailable(
                f"{where}: expected a folder with config.json, tokenizer and weights, found none"
            )
        _require_weights(where, [file.name for file in folder.iterdir()])
        return ModelTokenizer(_tokenizer(folder, where), None)
    found = find_model(model.name, model.revision)
    where = f"spec.model.name {model.name} at {found.revision}"
    _require_weights(where, found.files)
    return ModelTokenizer(_tokenizer(fetch_tokenizer(model.name, found), where), found.revision)


def _require_weights(where: str, files: Sequence[str] | frozenset[str]) -> None:
    has_weights = any(name.endswith(WEIGHTS) for name in files)
    if "config.json" not in files or not has_weights:
        found = ", ".join(sorted(files)[:12]) or "nothing"
        raise ModelUnavailable(f"{where}: expected config.json and *.safetensors weights, found {found}")


def _tokenizer(folder: Path, where: str) -> Any:
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # it would warn that there is no torch
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
    except (OSError, ValueError, KeyError) as error:
        LOG.debug("tokenizer of %s", where, exc_info=True)
        raise ModelUnavailable(
            f"{where}: expected a tokenizer, found {str(error).splitlines()[0]}"
        ) from error
    if not tokenizer.chat_template:
        raise ModelUnavailable(
            f"{where}: expected a tokenizer with a chat template, found one without; use an instruct model"
        )
    return tokenizer
