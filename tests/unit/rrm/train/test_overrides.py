"""The trainer's configuration against golden files: read a change there as a change of the product.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/train/test_overrides.py` and review the difference.
That verl knows every key of them is asked of verl itself, in `tests/e2e/trainer/test_configurations.py`.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm.errors import InvalidSpec
from rrm.presets import resolve
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Checkpoint, Start
from rrm.train.engine import Engine
from rrm.train.overrides import RayPlace, overrides_for, written
from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.status import DataStatus
from rrm_api.v1alpha1 import parse_training

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "overrides"
ACTOR, ROLLOUT, MODEL = (f"actor_rollout_ref.{part}" for part in ("actor", "rollout", "model"))


def attempt_at(
    example: str, number: int = 1, *, spec: dict[str, Any] | None = None, **training: Any
) -> Attempt:
    document = yaml.safe_load((ROOT / "crds" / "examples" / example).read_text())
    document["metadata"] |= {"namespace": "team", "uid": "00000000-0000-0000-0000-000000000001"}
    document["spec"] |= spec or {}
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
UNFILTERED = {"filterGroups": False}
TINY = attempt_at("tiny-cpu.yaml")
POINTWISE = attempt_at("pointwise.yaml", **UNFILTERED)
BOTH: dict[str, tuple[Attempt, Start, RayPlace]] = {
    "tiny-cpu-embedded": (TINY, FRESH, EMBEDDED),
    "pointwise-cluster": (POINTWISE, FRESH, CLUSTER),
    "pointwise-resumed": (attempt_at("pointwise.yaml", 2, **UNFILTERED), RESUMED, CLUSTER),
    "with-kl-on-cpu": (attempt_at("tiny-cpu.yaml", klCoefficient="0.01"), FRESH, EMBEDDED),
    "full": (attempt_at("full.yaml"), FRESH, CLUSTER),
}
NEWER_ONLY: dict[str, tuple[Attempt, Start, RayPlace]] = {
    "pairwise-swapped": (attempt_at("pairwise.yaml"), FRESH, CLUSTER),
    "filtered": (attempt_at("pointwise.yaml", filterGroups=True), FRESH, CLUSTER),
}
CASES = [(Engine.VERL_09, name, *case) for name, case in (BOTH | NEWER_ONLY).items()]
CASES += [(Engine.VERL_04, name, *case) for name, case in BOTH.items()]


@pytest.mark.parametrize(
    ("engine", "name", "attempt", "start", "ray"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_an_example_becomes_exactly_these_overrides(
    engine: Engine, name: str, attempt: Attempt, start: Start, ray: RayPlace
) -> None:
    is_first = start is FRESH
    lines = overrides_for(attempt, start=start, evaluate_first=is_first, ray=ray, engine=engine)
    text = "\n".join(line.replace(str(ROOT), "ROOT") for line in lines) + "\n"
    golden = GOLDEN / engine / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_golden_file_is_one_that_is_written() -> None:
    found = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*.txt")}
    assert found == {f"{engine}/{name}.txt" for engine, name, *_ in CASES}


def lines_of(attempt: Attempt, engine: Engine, start: Start = FRESH, ray: RayPlace = CLUSTER) -> list[str]:
    return overrides_for(attempt, start=start, evaluate_first=True, ray=ray, engine=engine)


@pytest.mark.parametrize("engine", Engine)
def test_no_key_is_said_twice(engine: Engine) -> None:
    for attempt, start, ray in BOTH.values():
        keys = [line.partition("=")[0].lstrip("+") for line in lines_of(attempt, engine, start, ray)]
        assert len(keys) == len(set(keys)), "Hydra refuses a key that is added twice"


@pytest.mark.parametrize("engine", Engine)
def test_the_specs_own_overrides_come_last_and_replace_ours(engine: Engine) -> None:
    own = {f"{ACTOR}.optim.lr": "3e-7", "trainer.test_freq": "5", "+trainer.new_key": "[1,2]"}
    lines = lines_of(attempt_at("pointwise.yaml", overrides=own, **UNFILTERED), engine)
    assert lines[-3:] == [f"{key}={value}" for key, value in own.items()]
    keys = [line.partition("=")[0].lstrip("+") for line in lines]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("engine", Engine)
def test_without_a_kl_term_no_reference_model_is_loaded(engine: Engine) -> None:
    assert f"{ACTOR}.use_kl_loss=false" in lines_of(TINY, engine)


@pytest.mark.parametrize("engine", Engine)
def test_a_resumed_attempt_names_its_checkpoint_and_never_trusts_the_tracker(engine: Engine) -> None:
    lines = lines_of(POINTWISE, engine, RESUMED)
    assert "trainer.resume_mode=resume_path" in lines
    assert "trainer.resume_from_path=/mnt/rrm/helpful-judge/checkpoints/global_step_40" in lines


NUMBERS = {
    "warmup_steps": (7, [f"{ACTOR}.optim.lr_warmup_steps=7"]),
    "entropy_coefficient": (0.01, [f"{ACTOR}.entropy_coeff=0.01"]),
    "clip_ratio_low": (0.1, [f"{ACTOR}.clip_ratio_low=0.1"]),
    "clip_ratio_high": (0.28, [f"{ACTOR}.clip_ratio_high=0.28"]),
    "gpu_memory_utilization": (0.55, [f"{ROLLOUT}.gpu_memory_utilization=0.55"]),
    "max_tokens_per_gpu": (
        16384,
        [f"{ACTOR}.use_dynamic_bsz=true", f"{ACTOR}.ppo_max_token_len_per_gpu=16384"],
    ),
}


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("name", NUMBERS)
def test_each_number_reaches_the_key_that_means_it(
    engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, expected = NUMBERS[name]
    with_number(monkeypatch, **{name: value})
    assert set(expected) <= set(lines_of(POINTWISE, engine))


def with_number(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    from dataclasses import replace

    numbers = replace(POINTWISE.hyperparameters, **changed)
    monkeypatch.setattr(Attempt, "hyperparameters", property(lambda _: numbers))


def test_lora_loads_the_base_weights_into_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with_number(monkeypatch, lora_rank=64)
    lines = lines_of(POINTWISE, Engine.VERL_09)
    for line in (f"{MODEL}.lora_rank=64", f"{MODEL}.lora_alpha=32", f"{ROLLOUT}.load_format=safetensors"):
        assert line in lines


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (NEWER_ONLY["pairwise-swapped"][0], "spec.reward.pairwise.swapConsistencyWeight 0.5"),
        (NEWER_ONLY["filtered"][0], "spec.training.filterGroups true"),
    ],
    ids=["swap consistency", "filtered groups"],
)
def test_the_older_engine_refuses_what_it_has_no_place_for(attempt: Attempt, words: str) -> None:
    with pytest.raises(InvalidSpec, match="use the default image, or") as refused:
        lines_of(attempt, Engine.VERL_04)
    assert str(refused.value).startswith(words)


def test_the_older_engine_refuses_lora(monkeypatch: pytest.MonkeyPatch) -> None:
    with_number(monkeypatch, lora_rank=64)
    with pytest.raises(InvalidSpec, match=r"LoRA: .*verl 0\.9\.1"):
        lines_of(POINTWISE, Engine.VERL_04)


@pytest.mark.parametrize("text", ["plain", "a b", "it's", "x=1", "$HOME", "[1,2]", "/mnt/a-b_c.d:1", "100%"])
def test_written_text_survives_hydras_grammar(text: str) -> None:
    # Hydra's grammar is a superset of YAML scalars here: quoted text is what stands between the quotes.
    shown = written(text)
    assert (shown[1:-1].replace("\\'", "'") if shown.startswith("'") else shown) == text


@pytest.mark.parametrize("engine", list(Engine))
def test_a_dataset_class_of_the_user_takes_the_place_of_ours(engine: Engine) -> None:
    lines = overrides_for(
        attempt_at("pointwise.yaml"),
        start=FRESH,
        evaluate_first=True,
        ray=CLUSTER,
        engine=engine,
        upstream_dataset="own.rows:Helpfulness",
    )
    said = dict(line.split("=", 1) for line in lines)
    assert said["data.custom_cls.name"] == "UpstreamRows"
    assert said["data.custom_cls.path"].removesuffix(".py").endswith("upstream_dataset")
    assert said["+data.rrm_dataset"] == "own.rows:Helpfulness"


@pytest.mark.parametrize(("preset", "is_packed"), [("pointwise-v1", "false"), ("pointwise-v1-8b", "true")])
def test_rows_are_packed_where_a_budget_of_tokens_is_to_hold(preset: str, is_packed: str) -> None:
    lines = overrides_for(
        attempt_at("pointwise.yaml", spec={"preset": preset}), start=FRESH, evaluate_first=True, ray=CLUSTER
    )
    said = dict(line.split("=", 1) for line in lines)
    assert said["actor_rollout_ref.model.use_remove_padding"] == is_packed
    assert said["actor_rollout_ref.actor.use_dynamic_bsz"] == is_packed
