"""A claim with real rows and a real tokenizer (no weights worth the name), made once per run."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # before its import

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from rrm_api.run import Intent

SAMPLES = Path(__file__).parents[2] / "data/helpsteer2"
INSTRUCTION = "Rate the verbosity of the answer from 0 to 4."
CHAT_TEMPLATE = (
    "{%- for m in messages -%}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
)


def write_tokenizer(folder: Path) -> None:
    """Train the demo's tokenizer (byte-level BPE of 2,048) on the sample rows, beside dummy weights."""
    lines = (SAMPLES / "train.jsonl").read_text(encoding="utf-8").splitlines()
    ask = f"{INSTRUCTION} Reply with <score>N</score>."
    corpus = [
        f"{ask}\nQuestion: {row['prompt']}\nAnswer: {row['response']}" for row in map(json.loads, lines)
    ]
    corpus += [f"<score>{score}</score>" for score in range(5)] * 20
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(str(folder))
    (folder / "config.json").write_text('{"model_type": "qwen3"}')
    (folder / "model.safetensors").write_bytes(b"weights")


@pytest.fixture(scope="session")
def demo_claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A claims folder with the demo's claim: rows and model. Read it, never write to it."""
    claims = tmp_path_factory.mktemp("claims")
    (claims / "demo/helpsteer2").mkdir(parents=True)
    for name in ("train.jsonl", "eval.jsonl"):
        shutil.copy(SAMPLES / name, claims / "demo/helpsteer2" / name)
    write_tokenizer(claims / "demo/model")
    return claims


@pytest.fixture(scope="session")
def make_intent() -> Callable[..., Intent]:
    """Return a maker of the demo's intent; keyword arguments replace its fields, by API name."""

    def make(**changes: object) -> Intent:
        source = {"format": "helpsteer2_pointwise", "label": "verbosity"}
        document: dict[str, object] = {
            "name": "tiny-judge",
            "namespace": "default",
            "uid": "",
            "method": "Pointwise",
            "model": {"name": "tiny", "volume": {"claimName": "demo", "path": "model"}, "reasoning": "None"},
            "data": {
                "train": [source | {"uri": "pvc://demo/helpsteer2/train.jsonl"}],
                "validation": {
                    "sources": [source | {"uri": "pvc://demo/helpsteer2/eval.jsonl", "limit": 64}]
                },
                "maxPromptTokens": 448,
            },
            "template": {"task": INSTRUCTION},
            "reward": {"exponential": {}},
            "training": {"maxSteps": 24, "batchSize": 8, "miniBatchSize": 8, "evaluateEverySteps": 6},
            "nodes": 1,
            "gpusPerNode": 1,
            "accelerator": "CPU",
            "saveEverySteps": 12,
            "keepLast": 2,
            "keepBest": True,
            "exportEnabled": True,
            "exportCheckpoint": "Best",
        }
        return Intent.model_validate(document | changes)

    return make
