"""Which dataset class of the user writes the prompts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.errors import InvalidSpec
from rrm.train.users_dataset import upstream_dataset_of
from rrm_api.run import Intent, intent_of
from rrm_api.v1alpha1 import parse_training

EXAMPLES = Path(__file__).parents[4] / "crds" / "examples"
MODULE = """
class BaseTrainDataset:
    pass

class Helpfulness(BaseTrainDataset):
    def _build_messages(self, row): ...
    def _apply_chat_template(self, messages): ...
    def _extract_ground_truth(self, row): ...
    def _get_data_source(self, row): ...

def convert(row):
    return None
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_datasets_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)


def intent(*names: str, example: str = "pointwise", **spec: Any) -> Intent:
    manifest = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text(encoding="utf-8"))
    sources = [
        {"format": "custom", "entryPoint": f"own_datasets_of_a_test:{name}", "uri": "pvc://rows/a.jsonl"}
        for name in names
    ]
    manifest["spec"] |= spec
    manifest["spec"]["data"]["train"] += sources
    return intent_of(parse_training(manifest))


def test_a_training_of_known_formats_has_none() -> None:
    assert upstream_dataset_of(intent()) is None


def test_a_converter_is_none() -> None:
    assert upstream_dataset_of(intent("convert")) is None


def test_a_class_with_the_four_hooks_is_one() -> None:
    assert upstream_dataset_of(intent("Helpfulness")) == "own_datasets_of_a_test:Helpfulness"


def test_it_writes_the_prompts_of_all_rows_so_no_other_may_stand_beside_it() -> None:
    with pytest.raises(InvalidSpec, match=r"expected no other entry point beside it, found .*:convert"):
        upstream_dataset_of(intent("Helpfulness", "convert"))


def test_it_knows_one_order_of_a_pair_alone() -> None:
    with pytest.raises(InvalidSpec, match=r"swapConsistencyWeight is 0\.5, .* set it to 0"):
        upstream_dataset_of(intent("Helpfulness", example="pairwise"))
