"""How big a model is: from its name, or from the fields of its config.json."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SIZE: Final = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
_UNIT: Final = {"b": 10**9, "m": 10**6}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A decoder of the Qwen and Llama families: what its memory follows from.

    Attributes:
        parameters: All weights.
        kv_width: Width of keys, equal to that of values, over all their heads.
    """

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    kv_width: int


VOCABULARY: Final = 151_936


def _qwen3(parameters: int, layers: int, hidden: int, intermediate: int) -> Shape:
    return Shape(
        parameters=parameters,
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        vocabulary=VOCABULARY,
        kv_width=1024,
    )


SHAPES: Final = {
    "0.6B": _qwen3(596_049_920, 28, 1024, 3072),
    "1.7B": _qwen3(1_720_574_976, 28, 2048, 6144),
    "4B": _qwen3(4_022_468_096, 36, 2560, 9728),
    "8B": _qwen3(8_190_735_360, 36, 4096, 12288),
    "14B": _qwen3(14_768_307_200, 40, 5120, 17408),
    "32B": _qwen3(32_762_123_264, 64, 5120, 25600),
}
"""Qwen3, by the size in its name; other families of a size are near enough for sums."""


def parameters_of_name(name: str) -> int | None:
    """Return how many parameters a model's name promises; None = it does not say.

    A size of the table stands for Qwen3's exact count.

    >>> parameters_of_name("Qwen/Qwen3-8B"), parameters_of_name("meta-llama/Llama-3.1-70B-Instruct")
    (8190735360, 70000000000)
    >>> parameters_of_name("qwen2.5-0.5b"), parameters_of_name("our-judge-v3")
    (500000000, None)
    """
    found = _SIZE.findall(name.rsplit("/", 1)[-1])
    if not found:
        return None
    number, unit = found[-1]
    known = SHAPES.get(f"{number}{unit.upper()}")
    return known.parameters if known else round(float(number) * _UNIT[unit.lower()])


def shape_near(parameters: int) -> Shape:
    """Return the shape of the table's model nearest in size, with this very number of parameters.

    >>> shape_near(7_600_000_000).layers
    36
    """
    nearest = min(SHAPES.values(), key=lambda shape: abs(shape.parameters - parameters))
    return Shape(**{**vars(nearest), "parameters": parameters})


def shape_of_config(config: Mapping[str, Any]) -> Shape:
    """Return the shape that a config.json of a Qwen or Llama decoder describes.

    Biases and norms of single heads are left out: less than 0.1 %.

    Raises:
        KeyError, TypeError, ValueError: If a field is missing or no number.

    >>> qwen3_8b = {"num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
    ...     "vocab_size": 151936, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    >>> round(shape_of_config(qwen3_8b).parameters / 1e9, 2)
    8.19
    """
    layers, hidden = int(config["num_hidden_layers"]), int(config["hidden_size"])
    intermediate, vocabulary = int(config["intermediate_size"]), int(config["vocab_size"])
    heads = int(config["num_attention_heads"])
    head = int(config.get("head_dim") or hidden // heads)
    kv_width = int(config.get("num_key_value_heads") or heads) * head
    experts = int(config.get("num_experts") or config.get("num_local_experts") or 1)
    mlp = (
        3
        * hidden
        * (int(config.get("moe_intermediate_size") or intermediate) if experts > 1 else intermediate)
    )
    layer = 2 * hidden * heads * head + 2 * hidden * kv_width + experts * mlp + 2 * hidden
    embeddings = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return Shape(
        parameters=layers * layer + embeddings + hidden,
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        vocabulary=vocabulary,
        kv_width=kv_width,
    )
