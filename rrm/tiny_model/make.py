"""Make the tiny model: own BPE tokenizer, a small Qwen3, a warm start on the answer's format (heavy).

The warm start teaches the format only: scores are drawn uniformly and no label is ever read, so whatever the
model later knows about labels it learnt in the training itself.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from rrm.tiny_model.both_engines import let_both_read
from rrm.tiny_model.recipe import END, PADDING, SPECIAL_TOKENS, START, Recipe, Sizes

CHAT_TEMPLATE: Final = (
    "{%- for m in messages -%}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
)
_FORMAT_REPEATS: Final = 20
"""The answer's tags must be frequent enough in the corpus to become tokens."""


def make_tiny_model(
    folder: Path, recipe: Recipe, *, on_step: Callable[[int, float], None] = lambda step, loss: None
) -> int:
    """Write tokenizer and weights to a folder; returns the number of parameters.

    Args:
        folder: Where to write; it appears when the model is whole.
        recipe: What to make.
        on_step: Called after each step of the warm start with its number (from 1) and loss.

    Raises:
        ValueError: no prompt fits into the recipe's limit.
    """
    tokenizer = _tokenizer(recipe)
    prompts = [ids for ids in _encode(tokenizer, recipe) if len(ids) <= recipe.max_prompt_tokens]
    if not prompts:
        raise ValueError(f"none of {len(recipe.prompts)} prompts fits into {recipe.max_prompt_tokens} tokens")
    torch.manual_seed(recipe.sizes.seed)
    # A second thread gains nothing on matrices this small, and spins for it where the machine is busy.
    torch.set_num_threads(1)
    model = _model(recipe.sizes, tokenizer)
    answers = [tokenizer(answer + END, add_special_tokens=False)["input_ids"] for answer in recipe.answers]
    _warm_start(model, prompts, answers, sizes=recipe.sizes, on_step=on_step)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    let_both_read(partial)
    partial.rename(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _tokenizer(recipe: Recipe) -> Any:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    corpus = [message["content"] for prompt in recipe.prompts for message in prompt]
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.sizes.vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    bpe.train_from_iterator(corpus + list(recipe.answers) * _FORMAT_REPEATS, trainer)
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe, eos_token=END, pad_token=PADDING, additional_special_tokens=[START]
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.model_max_length = recipe.sizes.positions
    tokenizer.padding_side = "left"
    return tokenizer


def _encode(tokenizer: Any, recipe: Recipe) -> list[list[int]]:
    texts = tokenizer.apply_chat_template(
        [list(prompt) for prompt in recipe.prompts], tokenize=False, add_generation_prompt=True
    )
    encoded: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return encoded


def _model(sizes: Sizes, tokenizer: Any) -> Any:
    # The vocabulary is exactly the tokenizer's: the rollout masks unused ids, the actor does not.
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=sizes.hidden,
        intermediate_size=sizes.mlp,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.key_value_heads,
        head_dim=sizes.head_size,
        max_position_embeddings=sizes.positions,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    return Qwen3ForCausalLM(config).float()  # type: ignore[no-untyped-call]


def _warm_start(
    model: Any,
    prompts: Sequence[list[int]],
    answers: Sequence[list[int]],
    *,
    sizes: Sizes,
    on_step: Callable[[int, float], None],
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=sizes.learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=sizes.warm_start_steps)
    chance = random.Random(sizes.seed)
    padding = model.config.pad_token_id
    by_length = sorted(prompts, key=len)
    for step in range(1, sizes.warm_start_steps + 1):
        # Neighbours in length: padding to the longest of a random batch would double the work.
        first = chance.randrange(max(1, len(by_length) - sizes.warm_start_rows + 1))
        batch = by_length[first : first + sizes.warm_start_rows]
        pairs = [(prompt, chance.choice(answers)) for prompt in batch]
        longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
        # Padded on the left, so that all answers stand at the end and only their logits are computed.
        rows = [[padding] * (longest - len(p) - len(a)) + p + a for p, a in pairs]
        ids = torch.tensor(rows)  # (rows, longest)
        room = max(len(answer) for answer in answers)
        output = model(
            input_ids=ids, attention_mask=(ids != padding).long(), logits_to_keep=room + 1, use_cache=False
        )
        logits = output.logits[:, :-1].flatten(0, 1)  # (rows * room, vocabulary)
        loss = torch.nn.functional.cross_entropy(logits, ids[:, -room:].flatten())
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        on_step(step, float(loss.item()))
