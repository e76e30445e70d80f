"""`rrm import`: the seed's scripts become trainings with the seed's numbers, and no secret travels.

Regenerate with `UPDATE_GOLDEN=1 pytest tests/unit/rrm/seed_import/test_import.py` and review the difference.
"""

import os
import re
from pathlib import Path

import pytest
import yaml

from rrm.cli.import_seed import import_seed
from rrm.errors import InvalidSpec
from rrm.intent_file import read_intent
from rrm.presets import resolve
from rrm_api.v1alpha1 import parse_training

ROOT = Path(__file__).parents[4]
SCRIPTS = ROOT / "tests" / "data" / "seed_scripts"
GOLDEN = ROOT / "tests" / "golden" / "import"
SECRETS = ("not-a-real-key-but-secret", "hf_thisIsNotARealTokenAtAll")


def imported(path: Path, here: Path, *, runtime_env: Path | None = None, **options: object) -> Path:
    output = here / "training.yaml"
    output.unlink(missing_ok=True)
    assert import_seed(path, runtime_env, output, **options) == 0  # type: ignore[arg-type]
    return output


def script(here: Path, change: str = "", *, without: str = "", base: str = "run_pairwise.sh") -> Path:
    """A script of the seed, with arguments added and one taken out."""
    text = (SCRIPTS / base).read_text()
    if without:
        assert without in text
        text = re.sub(rf"[^\n]*{re.escape(without)}[^\n]*\\\n", "", text)
    path = here / base
    path.write_text(text.replace('"$@"', change))
    return path


@pytest.mark.parametrize(
    ("name", "runtime_env"),
    [("run_pointwise", "runtime_env.yaml"), ("run_pairwise", None), ("run_own", "runtime_env.yaml")],
)
def test_a_script_becomes_the_reviewed_training(
    name: str, runtime_env: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_seed(SCRIPTS / f"{name}.sh", SCRIPTS / runtime_env if runtime_env else None) == 0
    found = capsys.readouterr()
    for text, golden in ((found.out, f"{name}.yaml"), (found.err, f"{name}.advice.txt")):
        if os.environ.get("UPDATE_GOLDEN"):
            (GOLDEN / golden).write_text(text)
        assert text == (GOLDEN / golden).read_text()
        assert [secret for secret in SECRETS if secret in text] == []
    assert parse_training(yaml.safe_load(found.out)).metadata.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("run_pointwise.sh", {"epochs": 1, "evaluate_every_steps": 10}),
        ("run_pairwise.sh", {"epochs": 10, "evaluate_every_steps": 2}),
    ],
)
def test_an_imported_script_resolves_to_its_numbers(
    name: str, expected: dict[str, int], tmp_path: Path
) -> None:
    numbers = vars(resolve(read_intent(imported(SCRIPTS / name, tmp_path))))
    seed = {
        "batch_size": 96, "mini_batch_size": 24, "micro_batch_size_per_gpu": 1, "rollouts_per_prompt": 4,
        "learning_rate": 1e-6, "kl_coefficient": 0.001, "entropy_coefficient": 0.0, "temperature": 1.0,
        "tensor_parallel": 8, "gpu_memory_utilization": 0.6, "max_prompt_tokens": 4096,
        "max_response_tokens": 2048, "save_every_steps": 20, "filter_groups": False,
    } | expected  # fmt: skip
    assert {key: numbers[key] for key in seed} == seed


def test_someones_own_numbers_survive(tmp_path: Path) -> None:
    intent = read_intent(imported(SCRIPTS / "run_own.sh", tmp_path))
    numbers = resolve(intent)
    assert (numbers.batch_size, numbers.mini_batch_size, numbers.micro_batch_size_per_gpu) == (128, 64, 4)
    assert (numbers.learning_rate, numbers.kl_coefficient, numbers.rollouts_per_prompt) == (3e-6, 0, 8)
    assert (numbers.max_steps, numbers.save_every_steps, numbers.evaluate_every_steps) == (300, 20, 5)
    assert intent.training.overrides["actor_rollout_ref.actor.clip_ratio_high"] == "0.28"
    assert intent.training.overrides["actor_rollout_ref.rollout.top_p"] == "0.95"
    assert intent.reward.entry_point == "strict_reward:strict_score"
    assert intent.plugins is not None


@pytest.mark.parametrize(
    ("argument", "field", "value"),
    [
        ("data.train_batch_size=48", "batch_size", 48),
        ("actor_rollout_ref.rollout.n=8", "rollouts_per_prompt", 8),
        ("actor_rollout_ref.rollout.temperature=0.7", "temperature", 0.7),
        ("actor_rollout_ref.actor.optim.lr=2.5e-07", "learning_rate", 2.5e-7),
        ("actor_rollout_ref.actor.use_kl_loss=False", "kl_coefficient", 0.0),
        ("trainer.nnodes=3", "batch_size", 96),
        ("trainer.total_training_steps=99", "max_steps", 99),
        ("trainer.test_freq=3", "evaluate_every_steps", 2),
        ("trainer.save_freq=-1", "save_every_steps", 20),
        ("trainer.test_freq=-1", "evaluate_every_steps", 2),
        ("algorithm.filter_groups.enable=True", "filter_groups", True),
        ("data.max_response_length=1024", "max_response_tokens", 1024),
        ("actor_rollout_ref.rollout.tensor_model_parallel_size=4", "tensor_parallel", 4),
    ],
)
def test_each_changed_number_arrives(argument: str, field: str, value: float, tmp_path: Path) -> None:
    path = script(tmp_path, argument)
    assert vars(resolve(read_intent(imported(path, tmp_path))))[field] == value


@pytest.mark.parametrize(
    ("argument", "key", "value"),
    [
        ("actor_rollout_ref.actor.entropy_coeff=0.01", "actor_rollout_ref.actor.entropy_coeff", "0.01"),
        ("actor_rollout_ref.actor.clip_ratio=0.3", "actor_rollout_ref.actor.clip_ratio_low", "0.3"),
        ("actor_rollout_ref.actor.kl_loss_type=kl", "actor_rollout_ref.actor.kl_loss_type", "kl"),
        ("actor_rollout_ref.model.lora_rank=64", "actor_rollout_ref.model.lora_rank", "64"),
        ("+actor_rollout_ref.actor.optim.warmup_style=cosine",
         "actor_rollout_ref.actor.optim.lr_scheduler_type", "cosine"),
        ("actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=4",
         "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu", "4"),
    ],
)  # fmt: skip
def test_what_no_field_says_becomes_a_raw_override(
    argument: str, key: str, value: str, tmp_path: Path
) -> None:
    assert read_intent(imported(script(tmp_path, argument), tmp_path)).training.overrides[key] == value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("algorithm.adv_estimator=gae", "algorithm.adv_estimator is gae: only grpo can be imported"),
        ("actor_rollout_ref.rollout.n=1", "rollout.n is 1: GRPO compares the answers to one prompt"),
        ("data.train_batch_size=many", "data.train_batch_size: expected a whole number, found many"),
        ("actor_rollout_ref.actor.optim.lr=low", "optim.lr: expected a number, found low"),
        ("trainer.nnodes=${WORLD}", r"trainer.nnodes: expected a number, found \$\{WORLD\}, .* --set NAME"),
        ("actor_rollout_ref.rollout.tensor_model_parallel_size=3", "tensorParallel 3 must divide"),
        ("trainer.nnodes=0", "the script's values make no valid training:\nspec.workers.nodes"),
    ],
)
def test_what_makes_no_training_is_refused(change: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=words) as refused:
        imported(script(tmp_path, change), tmp_path)
    assert refused.value.exit_code == 11
    assert not (tmp_path / "training.yaml").exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "found none"),
        ("python3 -m verl.trainer.fsdp_sft_trainer a=1", "found supervised fine-tuning"),
        ("torchrun --nproc 8 bt.py", "found a trainer of its own by torchrun"),
        ("python3 -m verl.trainer.main_ppo a.b=1\npython3 -m verl.trainer.main_ppo a.b=1", "found 2"),
    ],
)
def test_a_script_without_exactly_one_grpo_training_is_refused(text: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text(text)
    with pytest.raises(InvalidSpec, match=found):
        import_seed(path)


def test_variables_are_set_as_a_shell_would(tmp_path: Path) -> None:
    path = imported(
        SCRIPTS / "run_pointwise.sh", tmp_path, variables=["MODEL_NAME=Qwen/Qwen3-8B", "N_NODES=3"]
    )
    intent = read_intent(path)
    assert (intent.model.name, intent.nodes) == ("Qwen/Qwen3-8B", 3)
    assert "MODEL_NAME" not in path.read_text()


def test_an_output_that_exists_is_left_alone(tmp_path: Path) -> None:
    output = tmp_path / "training.yaml"
    output.write_text("mine")
    with pytest.raises(InvalidSpec, match="exists already"):
        import_seed(SCRIPTS / "run_pairwise.sh", None, output)
    assert output.read_text() == "mine"


@pytest.mark.parametrize("pair", ["NAME", "=x", "a b=c"])
def test_a_variable_without_a_name_is_refused(pair: str) -> None:
    with pytest.raises(InvalidSpec, match="--set: expected NAME=VALUE"):
        import_seed(SCRIPTS / "run_pairwise.sh", variables=[pair])


def test_unreadable_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"nowhere\.sh: expected a launch script, found none"):
        import_seed(tmp_path / "nowhere.sh")
    with pytest.raises(InvalidSpec, match="cannot be written"):
        import_seed(SCRIPTS / "run_pairwise.sh", None, tmp_path / "no" / "folder.yaml")


def test_numbers_are_quoted_for_every_yaml(tmp_path: Path) -> None:
    text = imported(script(tmp_path, "actor_rollout_ref.actor.optim.lr=3e-6"), tmp_path).read_text()
    assert 'learningRate: "3e-6"' in text, "YAML 1.2 reads a bare 3e-6 as a number, which the API refuses"
