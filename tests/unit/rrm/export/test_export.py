"""Which checkpoint is exported, and what its folder says about it."""

from pathlib import Path

import pytest
import yaml

from rrm.export.card import Numbers, judge_config, model_card
from rrm.export.errors import NoCheckpoint
from rrm.export.export import choose
from rrm.judge.baselines import Lift
from rrm.presets import resolve
from rrm.scales import Scale
from rrm.train.checkpoints import Checkpoint
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.spec_pods import ExportCheckpoint
from rrm_api.status import DataStatus, Metric
from rrm_api.v1alpha1 import parse_training

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"
REWARDS = {0: 0.9, 12: 0.7, 24: 0.6}


def saved(*whole: int, broken: tuple[int, ...] = ()) -> list[Checkpoint]:
    return [Checkpoint(s, Path(f"global_step_{s}"), s not in broken, 1) for s in (*whole, *broken)]


@pytest.mark.parametrize(
    ("checkpoints", "wanted", "step"),
    [
        pytest.param(saved(12, 24), ExportCheckpoint.BEST, 12, id="the best by validation reward"),
        pytest.param(saved(12, 24), ExportCheckpoint.LAST, 24, id="the last"),
        pytest.param(saved(24, broken=(12,)), ExportCheckpoint.BEST, 24, id="never an interrupted save"),
        pytest.param(saved(7), ExportCheckpoint.BEST, 7, id="the last, if none was validated"),
    ],
)
def test_the_wanted_checkpoint_is_chosen(
    checkpoints: list[Checkpoint], wanted: ExportCheckpoint, step: int
) -> None:
    assert choose(checkpoints, wanted, REWARDS).step == step


def test_without_a_whole_checkpoint_nothing_is_exported() -> None:
    with pytest.raises(NoCheckpoint, match="interrupted saves: global_step_12"):
        choose(saved(broken=(12,)), ExportCheckpoint.BEST, REWARDS)
    with pytest.raises(NoCheckpoint, match="none at all"):
        choose([], ExportCheckpoint.LAST, REWARDS)


@pytest.fixture
def run() -> RunFile:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["metadata"] |= {"namespace": "team", "uid": "1"}
    intent = intent_of(parse_training(document))
    prepared = Prepared(
        data=DataStatus(train=254, validation=64, digest="sha256:abc"),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset=resolve(intent).preset,
        floors=[Metric(name="constant-2", value="0.768")],
    )
    return RunFile(intent=intent, prepared=prepared)


def test_the_card_says_what_it_was_made_from_and_what_it_earns(run: RunFile) -> None:
    verdict = "NOT LEARNING (below the best constant)"
    lift = Lift(-0.08, -0.12, -0.04, "constant-2", verdict)
    base, trained = {"reward": 0.487, "exact": 0.18}, {"reward": 0.692, "exact": 0.35}
    numbers = Numbers(step=24, base=base, trained=trained, lift=lift)
    card = model_card(run, numbers, Scale(0, 4))
    assert yaml.safe_load(card.split("---")[1])["base_model"] == "tiny-qwen3"
    assert "254 training and 64 validation rows of 503 read" in card
    assert "| floor constant-2 | 0.768 |" in card
    assert "| untrained | 0.487 | 0.180 |" in card
    assert "| trained | 0.692 | 0.350 |" in card
    assert f"-0.080, 95 % interval -0.120 to -0.040: **{verdict}**" in card


def test_what_was_not_measured_is_said_to_be_so(run: RunFile) -> None:
    card = model_card(run, Numbers(step=7, base={}, trained={}, lift=None), Scale(0, 4))
    assert "| trained | - | - |" in card
    assert "was not measured" in card


def test_the_judges_configuration_is_all_one_needs_to_ask_it(run: RunFile) -> None:
    config = judge_config(run, Scale(0, 4))
    assert config["scale"] == {"low": 0, "high": 4}
    assert config["reasoning"] == {"kind": "None", "tag": None}
    assert config["chatTemplateArguments"] == {"enable_thinking": False}
    assert config["label"] == "verbosity"
