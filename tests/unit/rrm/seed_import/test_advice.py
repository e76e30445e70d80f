"""What goes with an imported training: secrets by reference, things to do, reasons for what is left out."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rrm.cli.import_seed import as_yaml
from rrm.errors import InvalidSpec
from rrm.seed_import import Imported, Request, import_script
from rrm.seed_import.environment import read_runtime_env

START = "python3 -m verl.trainer.main_ppo algorithm.adv_estimator=grpo actor_rollout_ref.rollout.n=4"


def imported(
    arguments: str = "", *, before: str = "", env: dict[str, Any] | None = None, **more: Any
) -> Imported:
    text = f"{before}\n{START} {arguments}\n"
    return import_script(Request(script=text, script_name="run.sh", runtime_env=env or {}, **more))


def spec(found: Imported) -> dict[str, Any]:
    result: dict[str, Any] = found.document["spec"]
    return result


def everything(found: Imported) -> str:
    return as_yaml(found, "run.sh") + "\n".join(found.notes)


SECRET = st.text(alphabet="abcdefghijkmnpqrstuvwxyz23456789", min_size=10, max_size=24).map(
    lambda s: f"Zz{s}"
)


@given(
    secret=SECRET,
    before=st.sampled_from(["export API_KEY={}", "API_KEY='{}'", "A=1 API_KEY=\"{}\""]),
    use=st.sampled_from(
        ["", "$API_KEY", "trainer.note=$API_KEY", "data.train_files=/x/${API_KEY}.parquet",
         "trainer.nnodes=$API_KEY", "trainer.experiment_name=e-$API_KEY", "+trainer.x='{}'",
         "actor_rollout_ref.model.path=${API_KEY}",
         "trainer.logger=[$API_KEY]", "foo.bar=pre-{}"]
    ),
    env=st.sampled_from([{}, {"HF_TOKEN": "{}"}, {"NOTE": "see {}"}, {"A_PASSWORD": "{}", "URL": "http://{}@h"}]),
)  # fmt: skip
def test_no_secret_travels_whatever_uses_it(secret: str, before: str, use: str, env: dict[str, str]) -> None:
    variables = {name: text.format(secret) for name, text in env.items()}
    found = imported(
        use.replace("{}", secret), before=before.format(secret), env={"env_vars": variables} if env else {}
    )
    assert secret not in everything(found)


def test_a_secret_becomes_a_reference_and_an_instruction() -> None:
    found = imported(env={"env_vars": {"WANDB_API_KEY": "abcdef"}}, name="judge")
    reference = {"secretKeyRef": {"name": "judge-secrets", "key": "WANDB_API_KEY"}}
    assert spec(found)["env"] == [{"name": "WANDB_API_KEY", "valueFrom": reference}]
    assert found.todo[-1] == (
        "secrets are not copied: kubectl create secret generic judge-secrets --from-literal=WANDB_API_KEY=..."
    )


def test_plain_environment_is_copied_and_the_clusters_own_is_not() -> None:
    found = imported(before="export A=1 MASTER_ADDR=10.0.0.1 B=$NOWHERE", env={"env_vars": {"C": True}})
    assert spec(found)["env"] == [{"name": "A", "value": "1"}, {"name": "C", "value": "True"}]
    assert "MASTER_ADDR: left out; image, operator or spec set it" in found.notes
    assert "B: set it in spec.env; the script takes it from ${NOWHERE}" in found.todo


def test_the_runtime_environment_wins_over_an_export() -> None:
    found = imported(before="export A=1", env={"env_vars": {"A": "2"}})
    assert spec(found)["env"] == [{"name": "A", "value": "2"}]


@pytest.mark.parametrize(
    ("env", "todo"),
    [
        ({"pip": ["a==1", "b"]}, "runtime_env pip: build a==1, b into the trainer image if needed"),
        ({"pip": {"packages": []}}, "runtime_env pip: build its packages into the trainer image if needed"),
        ({"pip": ["git+https://me:pw@host/a.git"]},
         "runtime_env pip: build *** (holds a secret) into the trainer image if needed"),
        ({"conda": "x"}, "runtime_env conda: has no counterpart; look whether the training needs it"),
    ],
)  # fmt: skip
def test_what_a_spec_cannot_say_is_left_to_do(env: dict[str, Any], todo: str) -> None:
    assert todo in imported(env=env).todo


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "expected a mapping with env_vars as a mapping"),
        ("env_vars: [A]", "expected a mapping with env_vars as a mapping"),
        ("a: [", "expected YAML, found ParserError"),
        (None, "expected YAML, found FileNotFoundError"),
    ],
)
def test_a_broken_runtime_env_is_refused_without_its_text(
    text: str | None, words: str, tmp_path: Any
) -> None:
    path = tmp_path / "runtime_env.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidSpec, match=words):
        read_runtime_env(path)


def test_an_empty_runtime_env_is_an_empty_one(tmp_path: Any) -> None:
    path = tmp_path / "runtime_env.yaml"
    path.write_text("# nothing\n")
    assert read_runtime_env(path) == {}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("trainer.experiment_name='My Judge, v2!'", "my-judge-v2"),
        ("trainer.experiment_name=$(date) trainer.project_name=judges", "judges"),
        ("trainer.experiment_name=2025-run", "run"),
        ("", "run"),
        ("trainer.project_name=" + "a" * 60, "a" * 40),
        ("trainer.project_name=123", "imported"),
    ],
)
def test_a_name_is_made_of_the_scripts(arguments: str, name: str) -> None:
    assert imported(arguments).document["metadata"]["name"] == name


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("Qwen/Qwen3-8B", {"name": "Qwen/Qwen3-8B"}),
        (
            "/nas/m/judge-8b/",
            {"name": "judge-8b", "volume": {"claimName": "models", "path": "nas/m/judge-8b"}},
        ),
        ("./judge", {"name": "judge", "volume": {"claimName": "models", "path": "judge"}}),
        ("hdfs://a/b/c", {"name": "c", "volume": {"claimName": "models", "path": "a/b/c"}}),
        ("$NOWHERE", {"name": "set-me/model"}),
    ],
)
def test_a_model_is_a_hub_id_or_a_folder_on_a_claim(path: str, model: dict[str, Any]) -> None:
    assert spec(imported(f"actor_rollout_ref.model.path={path}"))["model"] == model


def test_files_of_both_parts_become_sources() -> None:
    data = spec(
        imported("data.train_files=\"['/r/a.parquet', 'b.parquet']\" data.val_files=c.parquet", claim="rows")
    )
    uris = [source["uri"] for source in data["data"]["train"]]
    assert uris == ["pvc://rows/r/a.parquet", "pvc://rows/b.parquet"]
    assert data["data"]["validation"]["sources"][0]["uri"] == "pvc://rows/c.parquet"
    assert spec(imported("data.seed=7"))["data"]["seed"] == 7


@pytest.mark.parametrize(
    ("arguments", "reward", "words"),
    [
        ("custom_reward_function.path=./rm_gallery/gallery/train/pointwise/reward.py", None,
         "the method's own reward pays the same"),
        ("custom_reward_function.path=my/own.py", {"entryPoint": "own:compute_score"},
         "kubectl create configmap run-plugins --from-file my/own.py"),
        ("reward.custom_reward_function.path=own.py reward.custom_reward_function.name=pay",
         {"entryPoint": "own:pay"}, "kubectl create configmap run-plugins"),
        ("custom_reward_function.path=my/bad-name.py", None, "my/bad-name.py:compute_score cannot be named"),
        ("data.custom_cls.path=my/rows.py", None, "spec.data.train: the script reads rows with my/rows.py"),
        ("data.custom_cls.path=examples/train/pairwise/dataset.py", None, "dataset and prompt replace it"),
        ("trainer.max_actor_ckpt_to_keep=3", None, ""),
        ("trainer.device=cpu", None, ""),
    ],
)  # fmt: skip
def test_files_of_ones_own_become_plugins(arguments: str, reward: dict[str, str] | None, words: str) -> None:
    found = imported(arguments)
    assert spec(found).get("reward") == reward
    assert words in "\n".join([*found.todo, *found.notes])


def test_hardware_and_retention_arrive() -> None:
    found = spec(imported("trainer.device=cpu trainer.max_actor_ckpt_to_keep=5 trainer.nnodes=2"))
    assert found["workers"] == {"nodes": 2, "gpusPerNode": 8, "accelerator": "CPU"}
    assert found["checkpoints"]["keepLast"] == 5


def test_keys_nobody_knows_are_left_to_do_and_never_too_many() -> None:
    many = " ".join(f"trainer.own_{number}={number}" for number in range(70))
    found = imported(f"{many} nonsense.thing=1 trainer.later=$NOWHERE")
    assert len(spec(found)["training"]["overrides"]) <= 64
    said = "\n".join(found.todo)
    assert "nonsense.thing: verl 0.9.1 has no such section" in said
    assert "training.overrides trainer.later: the script takes it from ${NOWHERE}" in said


def test_what_would_bring_a_key_that_others_set_is_left_out_with_the_reason() -> None:
    found = imported("+trainer={nnodes:2} trainer.logger.0=wandb")
    assert {"trainer", "trainer.logger.0"}.isdisjoint(spec(found)["training"]["overrides"])
    said = "\n".join(found.notes)
    assert "trainer={nnodes:2}: left out; other fields of the spec set it" in said
    assert "trainer.logger.0=wandb: left out; other fields of the spec set it" in said


@pytest.mark.parametrize(
    ("word", "is_todo"),
    [('"${ARGS[@]}"', True), ("--config-name=own", True), ("$MORE", True), ('"$@"', False), ("-v", False)],
)
def test_settings_from_elsewhere_are_left_to_do(word: str, is_todo: bool) -> None:
    found = imported(word)
    assert any("may bring more settings" in line for line in found.todo) is is_todo
    assert any("left out; no key=value" in line for line in found.notes) is not is_todo


@pytest.mark.parametrize("between", ["\\\n # a comment\n", "\n\n", "\\\n # a comment \\\n"])
def test_settings_behind_the_end_of_the_command_are_told_by_name_alone(between: str) -> None:
    found = imported(f"trainer.nnodes=2 {between} data.seed=7 trainer.api_token=abc")
    assert spec(found)["workers"]["nodes"] == 2
    assert "seed" not in spec(found)["data"]
    why = "a comment or an empty line ended the command before it; not copied"
    assert {f"data.seed: {why}", f"trainer.api_token: {why}"} <= set(found.todo)
    assert "abc" not in everything(found)


def test_the_document_says_first_what_is_left_to_do() -> None:
    text = as_yaml(imported("actor_rollout_ref.model.path=$NOWHERE"), "run.sh")
    assert text.startswith(
        "# Imported from run.sh by `rrm import`.\n# TODO spec.model.name: the script takes it"
    )
    assert yaml.safe_load(text)["kind"] == "RewardModelTraining"


@given(st.text(alphabet="aB1=.'\"$(){}[]-+,:/ ", max_size=40))
def test_any_argument_imports_or_is_refused(argument: str) -> None:
    try:
        found = imported(argument)
    except InvalidSpec:
        return
    assert yaml.safe_load(as_yaml(found, "run.sh"))["spec"]["method"] == "Pointwise"
