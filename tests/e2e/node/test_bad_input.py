"""What a person typed wrong, on a real node: told in the person's words, and no GPU was ever asked for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrm_api.run import CLAIMS_MOUNT
from rrm_test_cluster.demo.places import EXAMPLE

pytestmark = [pytest.mark.node, pytest.mark.verl]

Manifest = dict[str, Any]
WRONG_LINE = 7
RRM = Path(sys.executable).with_name("rrm")
PREPARED_WITHIN = 240.0
"""Seconds; the demo's training takes both cores meanwhile."""


def spoil(folder: Path) -> None:
    """Write files of seven rows, all good but the last, beside the good ones."""
    rows = folder / "helpsteer2"
    good = [json.loads(line) for line in (rows / "train.jsonl").read_text().splitlines()[:WRONG_LINE]]
    last = good[-1]
    spoilt = {
        "broken.jsonl": [*map(json.dumps, good[:-1]), '{"prompt": "what'],
        "label.jsonl": map(json.dumps, [*good[:-1], last | {"verbosity": 9}]),
        "column.jsonl": map(json.dumps, [*good[:-1], {k: v for k, v in last.items() if k != "response"}]),
        "response.jsonl": map(json.dumps, [*good[:-1], last | {"response": 5}]),
        "invalid.jsonl": (json.dumps(row | {"response": None}) for row in good),
        "empty.jsonl": (),
    }
    for name, lines in spoilt.items():
        (rows / name).write_text("".join(f"{line}\n" for line in lines))


def reads(file: str) -> Callable[[Manifest], None]:
    def change(spec: Manifest) -> None:
        spec["data"]["train"][0]["uri"] = f"pvc://demo/helpsteer2/{file}"

    return change


def starts_from(path: str) -> Callable[[Manifest], None]:
    def change(spec: Manifest) -> None:
        spec["model"]["volume"]["path"] = path

    return change


def runs(image: str) -> Callable[[Manifest], None]:
    def change(spec: Manifest) -> None:
        spec["image"] = image
        spec["imagePullPolicy"] = "IfNotPresent"

    return change


LINE = f"line {WRONG_LINE}"
CASES = {
    "no-file": (reads("nowhere.jsonl"), "DataInvalid", ("nowhere.jsonl",)),
    "no-rows": (reads("empty.jsonl"), "DataInvalid", ("empty.jsonl", "at least one row")),
    "no-json": (reads("broken.jsonl"), "DataInvalid", ("broken.jsonl", LINE, "valid JSON")),
    "high-label": (reads("label.jsonl"), "DataInvalid", ("label.jsonl", LINE, "from 0 to 4", "found int 9")),
    "no-column": (reads("column.jsonl"), "DataInvalid", ("column.jsonl", LINE, "found no response")),
    "no-text": (reads("response.jsonl"), "DataInvalid", ("response.jsonl", LINE, "response: a string")),
    "no-good-row": (reads("invalid.jsonl"), "DataInvalid", ("invalid.jsonl", f"all of {WRONG_LINE} rows")),
    "no-model": (starts_from("model/absent"), "ModelUnavailable", ("model/absent",)),
}
EXIT_CODES = {"DataInvalid": 10, "ModelUnavailable": 12}
NO_IMAGE = "localhost/nothing:1"


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of claims for `rrm prepare`: the one below it is what the pods mount."""
    return tmp_path_factory.mktemp("claims")


@pytest.fixture(scope="module")
def bad(demo: Any, make_namespace: Any, claims: Path) -> Any:
    """Apply every wrong training at once, after the demo's own, which trains meanwhile."""

    def spoil_and_note(folder: Path) -> None:
        spoil(folder)
        (claims / "demo").symlink_to(folder)

    trainings = make_namespace("bad", spoil_and_note)
    for name, (change, _, _) in CASES.items():
        trainings.apply(name, change)
    return trainings


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_input_stalls_the_training_in_the_words_of_rrm_prepare(
    bad: Any, name: str, claims: Path, tmp_path: Path
) -> None:
    change, reason, words = CASES[name]
    seen = bad.until(name, lambda glimpse: glimpse.stalled, seconds=PREPARED_WITHIN)
    stalled = bad.condition(name, "Stalled")
    assert stalled["reason"] == reason
    assert all(word in stalled["message"] for word in words), stalled["message"]
    assert seen["status"]["failure"]["reason"] == reason

    manifest = yaml.safe_load(EXAMPLE.read_text())
    change(manifest["spec"])
    (tmp_path / "training.yaml").write_text(json.dumps(manifest))
    where = ("--claims", str(claims), "--volume", str(tmp_path / "volume"))
    command = [str(RRM), "prepare", str(tmp_path / "training.yaml"), *where]
    here = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert here.returncode == EXIT_CODES[reason], here.stderr
    told = (here.stdout + here.stderr).replace(str(claims), CLAIMS_MOUNT)
    assert stalled["message"] in told


def test_no_ray_cluster_was_ever_made_for_a_wrong_input(bad: Any) -> None:
    for name in CASES:
        bad.until(name, lambda glimpse: glimpse.stalled, seconds=PREPARED_WITHIN)
    assert bad.names("rayclusters") == []
    assert "RayCluster" not in bad.kubectl("get", "events", "-o", "jsonpath={.items[*].involvedObject.kind}")


def test_an_image_that_is_not_there_is_told_in_the_pods_own_words_within_30_s(bad: Any) -> None:
    bad.apply("no-image", runs(NO_IMAGE))
    bad.wait_for(
        "the prepare pod", lambda: bad.names("pods", "training.rrm.dev/training=no-image"), seconds=60
    )

    def words() -> str:
        told: str = bad.condition("no-image", "Reconciling").get("message", "")
        return told if NO_IMAGE in told and "pull" in told.lower() else ""

    bad.wait_for("the pod's words", words, seconds=30)
    bad.kubectl("delete", "rmt", "no-image", "--wait=false")


def test_a_wrong_input_that_is_corrected_goes_on(bad: Any) -> None:
    """Only as far as a RayCluster, and that is suspended by nobody: it is deleted with its training."""
    bad.until("no-file", lambda glimpse: glimpse.stalled, seconds=PREPARED_WITHIN)
    bad.apply("no-file", reads("train.jsonl"))
    bad.wait_for(
        "prepared rows", lambda: bad.condition("no-file", "DataPrepared").get("status") == "True", seconds=240
    )
    assert bad.condition("no-file", "Stalled")["status"] == "False"
    bad.kubectl("delete", "rmt", "no-file", "--wait=true", "--timeout=120s")
