"""The smallest training's intent, with changes by API name."""

from collections.abc import Callable

import pytest

from rrm_api.run import Intent


def make_intent(**changes: object) -> Intent:
    """An intent of the smallest training; `changes` by API name."""
    document: dict[str, object] = {
        "name": "judge",
        "namespace": "default",
        "uid": "",
        "method": "Pointwise",
        "model": {"name": "Qwen/Qwen3-8B"},
        "data": {"train": [{"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}]},
        "template": {},
        "reward": {"exact": {}},
        "training": {},
        "nodes": 2,
        "gpusPerNode": 8,
        "accelerator": "NVIDIA",
        "keepLast": 2,
        "keepBest": True,
        "exportEnabled": True,
        "exportCheckpoint": "Best",
    }
    return Intent.model_validate(document | changes)


@pytest.fixture(scope="session")
def intent() -> Callable[..., Intent]:
    """`intent(**changes)`: the smallest training's intent."""
    return make_intent
