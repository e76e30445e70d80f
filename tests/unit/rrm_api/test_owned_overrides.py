"""Raw keys of the trainer's configuration: none reaches what others set, in whatever form Hydra takes it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rrm_api.run import Prepared, RunFile, intent_of
from rrm_api.spec_train import OWNED_OVERRIDES, Training, reaches_owned
from rrm_api.status import DataStatus
from rrm_api.v1alpha1 import parse_training

ROOT = Path(__file__).parents[3]
FORMS = ("", "+", "++", "~")
OWNED = tuple(tuple(key.split(".")) for key in OWNED_OVERRIDES)
PARENTS = {key[:depth] for key in OWNED for depth in range(1, len(key))}
WORDS = sorted({word for key in OWNED for word in key} | {"0", "rollout", "mine", "nnodes_", "my-trainer"})

own_paths = st.sampled_from([*OWNED, *sorted(PARENTS)])
any_paths = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple)
paths = st.one_of(own_paths, any_paths, st.tuples(own_paths, any_paths).map(lambda two: two[0] + two[1]))


def overlaps(path: tuple[str, ...]) -> bool:
    """Whether one of two places in the configuration holds the other."""
    return any(path[: len(key)] == key[: len(path)] for key in OWNED)


@given(form=st.sampled_from(FORMS), group=st.sampled_from(["", "model@", "a/b@"]), path=paths)
def test_a_key_is_refused_in_every_form_exactly_if_it_and_an_owned_one_overlap(
    form: str, group: str, path: tuple[str, ...]
) -> None:
    assert reaches_owned(f"{form}{group}{'.'.join(path)}") == overlaps(path)


@pytest.mark.parametrize("tail", ["=1,", "@elsewhere", "[0]", " ", "\n"])
def test_what_stands_behind_a_key_does_not_hide_it(tail: str) -> None:
    keys = (f"{form}{'.'.join(path)}{tail}" for form in FORMS for path in {*OWNED, *PARENTS})
    assert [key for key in keys if not reaches_owned(key)] == []


def test_the_api_server_and_python_match_the_same_pattern() -> None:
    crd = yaml.safe_load((ROOT / "crds/training.rrm.dev_rewardmodeltrainings.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    rules = [it["rule"] for it in schema["training"]["x-kubernetes-validations"]]
    (pattern,) = re.findall(r"k\.matches\('\^\((.*)\)\$'\)", "\n".join(rules))
    assert "\\" not in pattern, "CEL would read an escape its own way"
    for form in FORMS:
        for path in {*OWNED, *PARENTS, ("data", "shuffle"), ("algorithm",), ("trainer", "nnodes_")}:
            key = form + ".".join(path)
            assert bool(re.fullmatch(pattern, key)) == reaches_owned(key) == overlaps(path), key


def test_the_trainer_refuses_a_run_file_that_brings_an_owned_key() -> None:
    """The second line: what nobody checked, as a run file that was edited by hand."""
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "crds/examples/pointwise.yaml").read_text())
    intent = intent_of(parse_training(manifest))
    prepared = Prepared(
        data=DataStatus(train=254, validation=64, digest="d"),
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset="pointwise-v1",
        floors=[],
    )
    unchecked = intent.training.model_copy(update={"overrides": {"~trainer": ""}})
    run = RunFile(intent=intent.model_copy(update={"training": unchecked}), prepared=prepared)
    with pytest.raises(ValidationError, match=r"spec\.training\.overrides may not set paths"):
        RunFile.model_validate_json(run.model_dump_json(by_alias=True))


def test_the_message_names_every_owned_key() -> None:
    message = Training.rules[0].message
    assert [key for key in OWNED_OVERRIDES if key not in message] == []
