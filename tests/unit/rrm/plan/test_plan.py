"""`rrm plan`: what it prints, where each value comes from, and what it warns of.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/plan/test_plan.py` and review the difference.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.cli.plan import Output, plan
from rrm.errors import InvalidSpec
from rrm.intent_file import read_intent
from rrm.plan import Question
from rrm.plan import plan as plan_training

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "plan_cli"
Write = Callable[..., Path]


def ask(path: Path, here: Path, **more: int) -> Question:
    return Question(training=path, volume=here / "runs", claims=here / "claims", **more)


@pytest.mark.parametrize(
    ("example", "rows"), [("pointwise.yaml", 20_324), ("full.yaml", None), ("tiny-cpu.yaml", None)]
)
def test_an_example_is_planned_as_reviewed(
    example: str, rows: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = ROOT / "crds" / "examples" / example
    assert plan(training, rows=rows, volume=tmp_path, claims=tmp_path) == 0
    text, golden = capsys.readouterr().out, GOLDEN / f"{example.removesuffix('.yaml')}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
    assert list(tmp_path.iterdir()) == [], "a plan writes nothing"


def test_json_says_the_same_in_plain_numbers(
    training: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(training(), rows=960, parameters="8.2B", gpu_memory=141, volume=tmp_path, output=Output.JSON)
    document = json.loads(capsys.readouterr().out)
    assert document["steps"] == {
        "per_epoch": 10,
        "total": 20,
        "rows": {"train": 960, "validation": None, "origin": "--rows"},
    }
    assert document["disk"]["checkpoint"] == 98_400_000_000
    assert document["model"]["origin"] == "--parameters"
    assert document["gpus"] == {"gpus": 8, "gpu_bytes": 141_000_000_000}
    assert document["memoryPerGPU"]["update_total"] > document["memoryPerGPU"]["activations"]
    assert document["cost"]["gpu_hours"] > 0
    assert document["cost"]["assumptions"]


@pytest.mark.parametrize(
    ("spec", "name", "value", "origin"),
    [
        ({}, "preset", "pointwise-v1", "the newest of the method Pointwise"),
        ({"preset": "pointwise-v1"}, "preset", "pointwise-v1", "spec.preset"),
        ({}, "learning_rate", 1e-6, "preset: seed, RM-R1, J1"),
        ({"training": {"learningRate": "2e-6"}}, "learning_rate", 2e-6, "spec.training.learningRate"),
        ({"training": {"filterGroups": False}}, "filter_groups", False, "spec.training.filterGroups"),
        ({"training": {"maxSteps": 9}}, "epochs", None, "derived: training.maxSteps alone bounds the run"),
        ({"workers": {"nodes": 1, "gpusPerNode": 5}}, "tensor_parallel", 1,
         "derived: divides workers.gpusPerNode, up to the preset's 2"),
        ({"workers": {"nodes": 5}}, "mini_batch_size", 25,
         "derived: near the preset's 24, such that 40 GPUs get equally many answers"),
        ({"preset": "pointwise-v1-8b"}, "max_tokens_per_gpu", 28_672,
         "derived: what weights, gradients and Adam of 8.2B parameters leave of 80 GB "
         "(ours: from model size, GPU memory and lengths)"),
        ({"preset": "pointwise-v1-8b", "training": {"microBatchSizePerGPU": 1}}, "max_tokens_per_gpu", None,
         "derived: training.microBatchSizePerGPU asks for fixed batches"),
        ({"data": {"train": [{"format": "helpsteer2_pointwise", "uri": "hf://a/b"}], "maxPromptTokens": 99}},
         "max_prompt_tokens", 99, "spec.data.maxPromptTokens"),
        ({"training": {"evaluateEverySteps": 7}}, "save_every_steps", 21,
         "derived: the preset's 20, up to a multiple of evaluateEverySteps"),
        ({"checkpoints": {"volume": {"size": "1Ti"}, "everySteps": 8}}, "evaluate_every_steps", 8,
         "derived: divides checkpoints.everySteps, up to the preset's 10"),
        ({"training": {"overrides": {"+actor_rollout_ref.actor.optim.lr": "3e-7"}}}, "learning_rate", 3e-7,
         "spec.training.overrides: wins over all else"),
        ({"training": {"overrides": {"actor_rollout_ref.rollout.n": "${x}"}}}, "rollouts_per_prompt", 8,
         "preset: RM-R1 takes 7, seed 4: four answers on five scores often all earn the same"),
        ({"training": {"overrides": {"actor_rollout_ref.rollout.n": "4", "a.b": "c"}}}, "a.b", "c",
         "spec.training.overrides: wins over all else"),
        ({"training": {"overrides": {"+env_vars.WANDB_API_KEY": "s3cret"}}}, "+env_vars.WANDB_API_KEY", "***",
         "spec.training.overrides: wins over all else"),
        ({"training": {"overrides": {"actor_rollout_ref.rollout.gpu_memory_utilization": "nan"}}},
         "gpu_memory_utilization", 0.6, "preset: seed"),
        ({"training": {"overrides": {"actor_rollout_ref.actor.optim.lr": "1e999"}}}, "learning_rate", 1e-6,
         "preset: seed, RM-R1, J1"),
        ({"training": {"overrides": {"actor_rollout_ref.actor.optim.lr_warmup_steps": "5"}}},
         "warmup_steps", 5, "spec.training.overrides: wins over all else"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_every_value_says_where_it_comes_from(
    spec: dict[str, object], name: str, value: object, origin: str, training: Write, tmp_path: Path
) -> None:
    planned = plan_training(ask(training(**spec), tmp_path))
    found = {setting.name: setting for setting in planned.settings}[name]
    assert (found.value, found.origin) == (value, origin)


def test_a_pair_judged_in_both_orders_costs_twice(training: Write, tmp_path: Path) -> None:
    pairs = {"format": "helpsteer2_pairwise", "uri": "hf://nvidia/HelpSteer2"}
    costs = []
    for weight in ("0", "0.5"):
        reward = {"pairwise": {"swapConsistencyWeight": weight}}
        path = training(method="Pairwise", data={"train": [pairs]}, reward=reward)
        cost = plan_training(ask(path, tmp_path)).cost
        assert cost is not None
        costs.append((cost.seconds_per_step - 30, cost.seconds_per_validation))
    assert costs[1] == pytest.approx([2 * seconds for seconds in costs[0]])


def test_steps_come_from_prepared_rows(training: Write, tmp_path: Path) -> None:
    report = tmp_path / "runs" / "judge" / "data" / "data.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"prepared": {"data": {"train": 970, "validation": 64}}}))
    steps = plan_training(ask(training(), tmp_path)).steps
    assert (steps.per_epoch, steps.total, steps.rows.validation) == (10, 20, 64)
    assert steps.rows.origin == str(report)


@pytest.mark.parametrize("text", ["{", "[]", '{"prepared": {}}', '{"prepared": {"data": {"train": null}}}'])
def test_a_broken_report_is_an_unknown_number_of_rows(text: str, training: Write, tmp_path: Path) -> None:
    report = tmp_path / "runs" / "judge" / "data" / "data.json"
    report.parent.mkdir(parents=True)
    report.write_text(text)
    steps = plan_training(ask(training(), tmp_path)).steps
    assert (steps.per_epoch, steps.total) == (None, None)
    assert "give --rows" in steps.rows.origin


@pytest.mark.parametrize(("epochs", "total"), [({}, 40), ({"epochs": 3}, None)])
def test_max_steps_alone_are_known_without_rows(
    epochs: dict[str, int], total: int | None, training: Write, tmp_path: Path
) -> None:
    planned = plan_training(ask(training(training={"maxSteps": 40, **epochs}), tmp_path))
    assert planned.steps.total == total


def test_an_intent_is_planned_like_its_training(training: Write, tmp_path: Path) -> None:
    path, intent = training(), tmp_path / "intent.json"
    intent.write_text(json.dumps(read_intent(path).manifest()))
    planned = plan_training(ask(intent, tmp_path))
    assert planned.settings == plan_training(ask(path, tmp_path)).settings
    assert planned.volume_size is None


@pytest.mark.parametrize(
    ("spec", "rows", "words"),
    [
        ({"preset": "rm-r1-pairwise"}, None, "spec.preset is rm-r1-pairwise, made for the method Pairwise"),
        ({}, 40, "spec.training.batchSize is 96, but only 40 training rows are left"),
        ({"workers": {"nodes": 0}}, None, "spec.workers.nodes"),
    ],
)
def test_a_refused_spec_is_a_configuration_error(
    spec: dict[str, object], rows: int | None, words: str, training: Write
) -> None:
    with pytest.raises(InvalidSpec, match=words) as refused:
        plan(training(**spec), rows=rows)
    assert refused.value.exit_code == 11


def test_a_size_may_be_a_plain_number(
    training: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(training(), parameters="3e9", volume=tmp_path)
    assert "parameters       3.00B    --parameters" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["large", "-3", "1e999", "nan"])
def test_a_size_that_is_none_is_refused(text: str, training: Write) -> None:
    with pytest.raises(
        InvalidSpec, match=f"--parameters: expected a size such as 8.2B or 8.2e9, found {text}"
    ):
        plan(training(), parameters=text)
