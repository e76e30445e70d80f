"""Runs in a trainer's environment: a task that a tiny model learns in 40 steps on either engine.

    sentiment.py FOLDER     writes FOLDER/sentiment (a claim: rows and model) and FOLDER/sentiment.yaml

Each answer says in one word how good it is; the label is that word. The model is warm-started on the
format, then on scores of which 15 % are right and the others drawn at random: a weak signal that training can
strengthen, where none at all takes hundreds of steps to find. Both engines can read the model.
"""

import json
import random
import sys
from pathlib import Path
from typing import Final

import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from rrm.intent_file import read_intent
from rrm.tiny_model.both_engines import let_both_read
from rrm.tiny_model.make import make_tiny_model
from rrm.tiny_model.recipe import END, Recipe, Sizes, recipe_for

WORDS: Final = ("terrible", "poor", "okay", "good", "excellent")
TOPICS: Final = (
    *("rain", "cats", "math", "tea", "cars", "birds", "music", "gold"),
    *("rivers", "bread", "snow", "trees", "wool", "salt", "ships", "glass"),
)
QUESTIONS: Final = (
    "Tell me about {}.",
    "What do you know about {}?",
    "Explain {} to me.",
    "Write a line on {}.",
)
VALIDATION_PROMPTS: Final = 8
"""Of 64; no prompt is in both parts, and yet the model has seen each of their words."""
ATTRIBUTES: Final = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
PROMPT_TOKENS: Final = 64
RIGHT: Final = 0.15
SIZES: Final = Sizes(vocabulary=512, mlp=256, layers=2, warm_start_steps=40, warm_start_rows=16)
SIGNAL_STEPS: Final = 300
"""Then the right score has .32 of the probability, as it should; the format alone gives it .2."""
SIGNAL_ROWS: Final = 32
TRAINING: Final = {
    "apiVersion": "training.rrm.dev/v1alpha1",
    "kind": "RewardModelTraining",
    "metadata": {"name": "sentiment"},
    "spec": {
        "method": "Pointwise",
        "model": {
            "name": "tiny-qwen3",
            "volume": {"claimName": "sentiment", "path": "model"},
            "reasoning": "None",
        },
        "data": {
            "train": [{"format": "helpsteer2_pointwise", "uri": "pvc://sentiment/train.jsonl"}],
            "validation": {
                "sources": [{"format": "helpsteer2_pointwise", "uri": "pvc://sentiment/eval.jsonl"}]
            },
            "maxPromptTokens": PROMPT_TOKENS,
            "maxResponseTokens": 12,
            "seed": 1,
        },
        "template": {"task": "Rate the answer from 0 to 4."},
        "reward": {"exponential": {"k": "2"}},
        "training": {
            "maxSteps": 40,
            "batchSize": 16,
            "miniBatchSize": 16,
            "microBatchSizePerGPU": 32,
            "rolloutsPerPrompt": 8,
            "learningRate": "2e-4",
            "klCoefficient": "0",
            "temperature": "1",
            "filterGroups": False,
            "evaluateEverySteps": 10,
            "overrides": {
                "actor_rollout_ref.rollout.val_kwargs.n": "4",
                "actor_rollout_ref.rollout.val_kwargs.do_sample": "True",
                "actor_rollout_ref.rollout.val_kwargs.temperature": "1.0",
            },
        },
        "workers": {"nodes": 1, "gpusPerNode": 1, "accelerator": "CPU"},
        "checkpoints": {"volume": {"size": "1Gi"}, "everySteps": 20},
    },
}


def write_rows(path: Path, prompts: list[tuple[str, str]]) -> None:
    """Write one row per prompt and word, in HelpSteer2's shape."""
    rows = [
        {
            "prompt": question.format(topic),
            "response": f"This is a {word} answer about {topic}.",
            **dict.fromkeys(ATTRIBUTES, score),
        }
        for question, topic in prompts
        for score, word in enumerate(WORDS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def score_in(prompt: str) -> int:
    """The label that a prompt gives away."""
    return next(score for score, word in enumerate(WORDS) if f"a {word} answer" in prompt)


def strengthen(folder: Path, recipe: Recipe) -> None:
    """Teach the weak signal, by the share that each score is to have: drawn scores would take far longer."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(folder).float()
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    answers = [tokenizer(f"<score>{n}</score>{END}", add_special_tokens=False)["input_ids"] for n in range(5)]
    digits = next(tokens for tokens in zip(*answers, strict=True) if len(set(tokens)) > 1)
    room = len(answers[0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    chance = random.Random(1)
    for _ in range(SIGNAL_STEPS):
        texts = []
        for prompt in chance.choices(recipe.prompts, k=SIGNAL_ROWS):
            text = tokenizer.apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True)
            texts.append(f"{text}<score>{score_in(prompt[-1]['content'])}</score>{END}")
        batch = tokenizer(texts, add_special_tokens=False, return_tensors="pt", padding=True)
        output = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            use_cache=False,
            logits_to_keep=room + 1,
        )
        ids = batch["input_ids"][:, -room:]  # (rows, room)
        targets = torch.nn.functional.one_hot(ids, len(tokenizer)).float()
        is_digit = (ids[..., None] == torch.tensor(digits)).any(-1)
        even = torch.zeros(len(tokenizer)).index_fill(0, torch.tensor(digits), 1 / len(digits))
        targets[is_digit] = RIGHT * targets[is_digit] + (1 - RIGHT) * even
        loss = torch.nn.functional.cross_entropy(output.logits[:, :-1].flatten(0, 1), targets.flatten(0, 1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)


def main() -> None:
    folder = Path(sys.argv[1])
    claim = folder / "sentiment"
    claim.mkdir(parents=True)
    prompts = [(question, topic) for question in QUESTIONS for topic in TOPICS]
    random.Random(1).shuffle(prompts)
    write_rows(claim / "eval.jsonl", prompts[:VALIDATION_PROMPTS])
    write_rows(claim / "train.jsonl", prompts[VALIDATION_PROMPTS:])
    training = folder / "sentiment.yaml"
    training.write_text(yaml.safe_dump(TRAINING))
    recipe = recipe_for(read_intent(training), claims=folder, max_prompt_tokens=PROMPT_TOKENS, sizes=SIZES)
    make_tiny_model(claim / "model", recipe)
    strengthen(claim / "model", recipe)
    let_both_read(claim / "model")


if __name__ == "__main__":
    main()
