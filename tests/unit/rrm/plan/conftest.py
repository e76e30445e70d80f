"""Training files with changes, written to a temporary folder."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SMALLEST = {
    "apiVersion": "training.rrm.dev/v1alpha1",
    "kind": "RewardModelTraining",
    "metadata": {"name": "judge"},
    "spec": {
        "method": "Pointwise",
        "model": {"name": "Qwen/Qwen3-8B"},
        "data": {"train": [{"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2"}]},
        "workers": {"nodes": 1},
        "checkpoints": {"volume": {"size": "500Gi"}},
    },
}


@pytest.fixture
def training(tmp_path: Path) -> Callable[..., Path]:
    """`training(**spec)`: a file with the smallest training and these parts of its spec."""

    def write(**spec: Any) -> Path:
        document: dict[str, Any] = copy.deepcopy(SMALLEST)
        document["spec"].update(spec)
        path = tmp_path / "training.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write
