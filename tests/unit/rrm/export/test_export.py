"""Which checkpoint is exported, and what its folder says about it."""

from pathlib import Path

import pytest
import yaml

from rrm.export.card import Numbers, judge_config, model_card
from rrm.export.errors import NoCheckpoint
from rrm.export.export import choose
from rrm.judge.baselines import Lift
from rrm.presets import resolve
from rrm.scales import PREFERENCE, Scale
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
    assert "says a score from 0 to 4 as `<score>N</score>`." in card
    assert "| trained | 0.692 | 0.350 |" in card
    assert f"Lift in reward over constant-2: -0.080, 95 % interval -0.120 to -0.040: **{verdict}**" in card


def test_floors_and_all_lifts_stand_on_the_card(run: RunFile) -> None:
    numbers = Numbers(
        step=24,
        base={"reward": 0.487},
        trained={"reward": 0.692, "untied": 0.61},
        lift=Lift(0.02, -0.01, 0.05, "surface-ridge", "NOT LEARNING (within ...)"),
        ranking=(
            Lift(0.12, 0.05, 0.19, "surface-ridge", "LEARNING (above ...)", "spearman"),
            Lift(0.1, 0.01, 0.2, "blind", "LEARNING (above ...)", "qwk"),
        ),
        floors={
            "surface-ridge": {"reward": 0.672, "spearman": 0.274, "untied": 0.552},
            "uniform": {"reward": 0.5},
        },
    )
    lines = model_card(run, numbers, Scale(0, 4)).splitlines()
    assert "| floor surface-ridge | 0.672 | - | - | - | 0.274 | - | 0.552 | - | - |" in lines
    assert "| floor uniform | 0.500 | - | - | - | - | - | - | - | - |" in lines
    assert "| trained | 0.692 | - | - | - | - | - | 0.610 | - | - |" in lines
    assert not [line for line in lines if "constant-2" in line], "measured floors replace the prepared ones"
    lifts = [line for line in lines if line.startswith("- Lift in ")]
    assert lifts == [
        "- Lift in reward over surface-ridge: +0.020, 95 % interval -0.010 to +0.050: "
        "**NOT LEARNING (within ...)**.",
        "- Lift in spearman over surface-ridge: +0.120, 95 % interval +0.050 to +0.190: "
        "**LEARNING (above ...)**.",
        "- Lift in qwk over blind: +0.100, 95 % interval +0.010 to +0.200: **LEARNING (above ...)**.",
    ]


def of_pairs(run: RunFile, **template: object) -> RunFile:
    document = run.manifest()
    document["intent"] |= {"method": "Pairwise", "reward": {"pairwise": {}}}
    document["intent"]["template"] = document["intent"]["template"] | template
    return RunFile.model_validate(document)


def test_a_judge_of_pairs_has_its_own_columns_and_duty(run: RunFile) -> None:
    trained = {"reward": 0.6, "accuracy": 0.61, "accuracy_untied": 0.7, "verdict_a": 0.52}
    card = model_card(of_pairs(run), Numbers(24, {}, trained, lift=None), PREFERENCE)
    assert (
        "reads a question and two answers and names the better one as `<better>A</better>`, B or tie" in card
    )
    assert "| trained | 0.600 | 0.610 | 0.700 | - | 0.520 |" in card
    assert "`accuracy` takes a tie as a third class" in card
    assert judge_config(of_pairs(run), PREFERENCE)["answerTag"] == "better"


def test_how_a_users_own_template_is_read_is_not_claimed(run: RunFile) -> None:
    own = of_pairs(run, entryPoint="mine:Template")
    card = model_card(own, Numbers(24, {}, {}, lift=None), PREFERENCE)
    assert "its own template says how it is asked" in card
    assert judge_config(own, PREFERENCE)["answerTag"] is None


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
