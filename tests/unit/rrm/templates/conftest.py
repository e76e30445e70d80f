"""Samples, templates and small tokenizers of real families, for the tests of this folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from rrm.reasoning import RULES
from rrm.sample import ChatMessage, DataOutput, DataSample, Step
from rrm.scales import Scale
from rrm.templates import Template
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm_api.spec_train import Method, Reasoning

CHAT_TEMPLATES = Path(__file__).parents[3] / "data/chat_templates"
CHATML = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
SPECIAL_TOKENS = {
    "qwen3": CHATML,
    "qwen3-thinking": CHATML,
    "qwen2.5": CHATML,
    "llama3": (
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|end_of_text|>",
    ),
}


def _sample(answers: Sequence[str], *turns: ChatMessage | str) -> DataSample:
    said = [turn if isinstance(turn, ChatMessage) else ChatMessage(content=turn) for turn in turns]
    return DataSample(
        unique_id="x",
        input=tuple(said) or (ChatMessage(content="What is 1 + 1?"),),
        output=tuple(DataOutput(answer=Step(content=answer)) for answer in answers),
    )


def _template(method: Method | str, kind: Reasoning | str, **changes: Any) -> Template:
    rule = RULES[Reasoning(kind)]
    if Method(method) is Method.PAIRWISE:
        return PairwiseTemplate(reasoning=rule, **changes)
    return PointwiseTemplate(**{"label": "helpfulness", "scale": Scale(0, 4), "reasoning": rule} | changes)


def _tokenizer(family: str) -> Any:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=list(SPECIAL_TOKENS[family]),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([], trainer)
    first, *others = SPECIAL_TOKENS[family]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=first, additional_special_tokens=others
    )
    tokenizer.chat_template = (CHAT_TEMPLATES / f"{family}.jinja").read_text(encoding="utf-8")
    return tokenizer


@pytest.fixture(scope="session")
def make_sample() -> Callable[..., DataSample]:
    """Return a maker of samples: the answers' texts, then the turns (a text is the user's)."""
    return _sample


@pytest.fixture(scope="session")
def make_template() -> Callable[..., Template]:
    """Return a maker of our templates by method and kind of reasoning."""
    return _template


@pytest.fixture(scope="session")
def tokenizers() -> dict[str, Any]:
    """A byte-level tokenizer by family, with that family's special tokens and chat template."""
    return {family: _tokenizer(family) for family in SPECIAL_TOKENS}
