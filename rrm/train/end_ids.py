"""Which token ids end an answer: whether one was cut off shows in its ids alone, in the text they vanish."""

from typing import Any


def end_ids(model_path: str, tokenizer: Any) -> frozenset[int]:
    """Return the ids that end an answer: those of the generation config and the tokenizer's."""
    from transformers import GenerationConfig

    try:
        found = GenerationConfig.from_pretrained(model_path).eos_token_id
    except OSError:  # a model without generation_config.json
        found = None
    listed = found if isinstance(found, list) else [found]
    return frozenset(int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None)
