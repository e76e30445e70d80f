"""The trainer's configuration against golden files: read a change there as a change of the product.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/train/test_overrides.py` and review the difference.
"""

import json
import os
from pathlib import Path

import pytest
import yaml

from rrm.presets import resolve
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Checkpoint, Start
from rrm.train.overrides import RayPlace, overrides_for, written
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.status import DataStatus
from rrm_api.v1alpha1 import parse_training

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "overrides"


def attempt_at(example: str, number: int = 1, **training: object) -> Attempt:
    document = yaml.safe_load((ROOT / "crds" / "examples" / example).read_text())
    document["metadata"] |= {"namespace": "team", "uid": "00000000-0000-0000-0000-000000000001"}
    document["spec"].setdefault("training", {}).update(training)
    intent = intent_of(parse_training(document))
    numbers = resolve(intent)
    prepared = Prepared(
        data=DataStatus(train=20_000, validation=64, digest="d"),
        read_rows=20_064,
        total_steps=numbers.total_steps(20_000),
        evaluate_every_steps=numbers.evaluate_every_steps,
        save_every_steps=numbers.save_every_steps,
        preset=numbers.preset,
        model_revision=None if intent.model.volume else "c0ffee",
        floors=[],
    )
    run = RunFile(intent=intent, prepared=prepared)
    return Attempt(run=run, volume=Path("/mnt/rrm"), claims=Path("/mnt/claims"), number=number)


FRESH = Start(resume_from=None, is_complete=False)
RESUMED = Start(
    resume_from=Checkpoint(40, Path("/mnt/rrm/helpful-judge/checkpoints/global_step_40"), True, 1),
    is_complete=False,
)
EMBEDDED = RayPlace(temp_folder=Path("/tmp/r"))
CLUSTER = RayPlace(address="auto", environment={"VLLM_NO_USAGE_STATS": "1"})


@pytest.mark.parametrize(
    ("name", "attempt", "start", "evaluate_first", "ray"),
    [
        pytest.param("tiny-cpu-embedded", attempt_at("tiny-cpu.yaml"), FRESH, True, EMBEDDED, id="tiny-cpu"),
        pytest.param("pointwise-cluster", attempt_at("pointwise.yaml"), FRESH, True, CLUSTER, id="pointwise"),
        pytest.param(
            "pointwise-resumed", attempt_at("pointwise.yaml", 2), RESUMED, False, CLUSTER, id="resumed"
        ),
        pytest.param("full", attempt_at("full.yaml"), FRESH, True, CLUSTER, id="full"),
    ],
)
def test_an_example_becomes_exactly_these_overrides(
    name: str, attempt: Attempt, start: Start, evaluate_first: bool, ray: RayPlace
) -> None:
    lines = overrides_for(attempt, start=start, evaluate_first=evaluate_first, ray=ray)
    text = "\n".join(line.replace(str(ROOT), "ROOT") for line in lines) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_specs_own_overrides_come_last_and_replace_ours() -> None:
    own = {"actor_rollout_ref.actor.optim.lr": "3e-7", "trainer.test_freq": "5", "+trainer.new_key": "[1,2]"}
    attempt = attempt_at("pointwise.yaml", overrides=own)
    lines = overrides_for(attempt, start=FRESH, evaluate_first=True, ray=CLUSTER)
    assert lines[-3:] == [f"{key}={value}" for key, value in own.items()]
    keys = [line.partition("=")[0].lstrip("+") for line in lines]
    assert len(keys) == len(set(keys)), "Hydra refuses a key that is added twice"


def test_without_a_kl_term_no_reference_model_is_loaded() -> None:
    lines = overrides_for(attempt_at("tiny-cpu.yaml"), start=FRESH, evaluate_first=True, ray=EMBEDDED)
    assert "actor_rollout_ref.actor.use_kl_loss=false" in lines


def test_a_resumed_attempt_names_its_checkpoint_and_never_trusts_the_tracker() -> None:
    lines = overrides_for(attempt_at("pointwise.yaml"), start=RESUMED, evaluate_first=False, ray=CLUSTER)
    assert "trainer.resume_mode=resume_path" in lines
    assert "trainer.resume_from_path=/mnt/rrm/helpful-judge/checkpoints/global_step_40" in lines


@pytest.mark.parametrize("text", ["plain", "a b", "it's", "x=1", "$HOME", "[1,2]", "/mnt/a-b_c.d:1", "100%"])
def test_written_text_survives_hydras_grammar(text: str) -> None:
    # Hydra's grammar is a superset of YAML scalars here: quoted text is what stands between the quotes.
    shown = written(text)
    if shown.startswith("'"):
        assert shown[1:-1].replace("\\'", "'") == text
    else:
        assert json.dumps(shown) == json.dumps(text)
