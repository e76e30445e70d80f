"""The heavy child before verl is imported: it trains on the rows that were prepared or not at all."""

import json
import pickle
import sys
from dataclasses import replace

import pytest

from rrm.data.written import TRAIN_FILE, VALIDATION_FILE, digest_of_rows
from rrm.train import child
from rrm.train.attempt import Attempt, write_json
from rrm.train.errors import TrainingRefused, Unhealthy
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


@pytest.fixture
def prepared(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """An attempt whose run file names the digest of the files on its volume; verl is never reached."""
    attempt.layout.data.mkdir()
    for name in (TRAIN_FILE, VALIDATION_FILE):
        (attempt.layout.data / name).write_bytes(name.encode())
    data = attempt.run.prepared.data.model_copy(update={"digest": digest_of_rows(attempt.layout.data)})
    found = attempt.run.prepared.model_copy(update={"data": data})
    made = replace(attempt, run=attempt.run.model_copy(update={"prepared": found}))
    write_json(made.run_copy, made.run.manifest())
    monkeypatch.setattr(sys, "argv", ["child", *(f"--{k}={v}" for k, v in made.settings().items())])
    monkeypatch.setattr(child, "_run_verl", lambda _: None)
    return made


def put_weights(attempt: Attempt) -> None:
    folder = attempt.claims / "demo" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").touch()


def ending_of(attempt: Attempt) -> dict[str, object]:
    ending: dict[str, object] = json.loads(attempt.ending.read_text())
    return ending


def test_rows_as_prepared_are_trained_on(prepared: Attempt) -> None:
    put_weights(prepared)
    assert child.main() == 0
    assert ending_of(prepared)["reason"] == "Succeeded"


@pytest.mark.parametrize("fault", ["changed", "swapped", "missing"])
def test_other_rows_than_those_prepared_are_refused_with_what_to_do(prepared: Attempt, fault: str) -> None:
    put_weights(prepared)
    rows, others = prepared.layout.data / TRAIN_FILE, prepared.layout.data / VALIDATION_FILE
    if fault == "missing":
        rows.unlink()
    else:
        kept = rows.read_bytes()
        rows.write_bytes(others.read_bytes())
        if fault == "swapped":
            others.write_bytes(kept)
    assert child.main() == 10
    ending = ending_of(prepared)
    assert (ending["reason"], ending["exit_code"]) == ("DataInvalid", 10)
    assert str(prepared.layout.data) in str(ending["message"])
    assert "prepare" in str(ending["message"])


def test_an_error_of_the_trainer_keeps_its_own_words_through_ray(
    prepared: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    class RayTaskErrorOfUnhealthy(Unhealthy):
        """Of the shape that Ray makes: an instance of both classes, whose text is a whole traceback."""

        def __init__(self, cause: Exception) -> None:
            super().__init__("ray::TaskRunner.run() (pid=1, ip=10.0.0.1)\n  File ...\n")
            self.cause = cause

    def fail(_: object) -> None:
        raise RayTaskErrorOfUnhealthy(Unhealthy("step 3: 9 of 64 answers are missing"))

    put_weights(prepared)
    monkeypatch.setattr(child, "_run_verl", fail)
    assert child.main() == 14
    assert ending_of(prepared)["message"] == "step 3: 9 of 64 answers are missing"


def test_the_ending_on_the_volume_holds_no_secret(prepared: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    put_weights(prepared)
    monkeypatch.setenv("HF_TOKEN", "0123456789abcdef")

    def refuse(_: object) -> None:
        raise TrainingRefused("no: 0123456789abcdef")

    monkeypatch.setattr(child, "_run_verl", refuse)
    assert child.main() == 11
    assert ending_of(prepared)["message"] == "no: ***"


def test_a_finding_that_ends_a_run_keeps_its_reason_on_the_way_through_ray() -> None:
    finding = pickle.loads(pickle.dumps(Unhealthy("since step 84: fell", Reason.REWARD_COLLAPSED)))

    class RayTaskError(Exception):
        """As Ray makes it: of its own class and the cause's, with the cause beside it."""

        def __init__(self, cause: Exception) -> None:
            self.cause = cause

    class Both(RayTaskError, Unhealthy):
        def __str__(self) -> str:
            return "Traceback ..."

    told = (Reason.REWARD_COLLAPSED, "since step 84: fell", ExitCode.UNHEALTHY)
    assert child.told_by(Both(finding)) == told
    assert child.told_by(finding) == told
