"""What a person typed wrong, on a real node: told in the person's words, and no GPU was ever asked for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.node

Manifest = dict[str, Any]
WRONG_LINE = 7
PREPARED_WITHIN = 240.0
"""Seconds; the demo's training takes both cores meanwhile."""


def spoil(folder: Path) -> None:
    rows = folder / "helpsteer2" / "train.jsonl"
    lines = rows.read_text().splitlines()
    broken = [*lines[: WRONG_LINE - 1], '{"prompt": "what', *lines[WRONG_LINE:]]
    (folder / "helpsteer2" / "broken.jsonl").write_text("\n".join(broken) + "\n")
    (folder / "helpsteer2" / "empty.jsonl").write_text("")
    shutil.rmtree(folder / "model" / "absent", ignore_errors=True)


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


CASES = {
    "no-file": (reads("nowhere.jsonl"), "DataInvalid", ("nowhere.jsonl",)),
    "no-json": (reads("broken.jsonl"), "DataInvalid", ("broken.jsonl", f"line {WRONG_LINE}")),
    "no-rows": (reads("empty.jsonl"), "DataInvalid", ("empty.jsonl",)),
    "no-model": (starts_from("model/absent"), "ModelUnavailable", ("model/absent",)),
}
NO_IMAGE = "localhost/nothing:1"


@pytest.fixture(scope="module")
def bad(demo: Any, make_namespace: Any) -> Any:
    """Apply every wrong training at once, after the demo's own, which trains meanwhile."""
    trainings = make_namespace("bad", spoil)
    for name, (change, _, _) in CASES.items():
        trainings.apply(name, change)
    return trainings


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_input_stalls_the_training_in_the_words_of_the_prepare_job(bad: Any, name: str) -> None:
    _, reason, words = CASES[name]
    seen = bad.until(name, lambda glimpse: glimpse.stalled, seconds=PREPARED_WITHIN)
    stalled = bad.condition(name, "Stalled")
    assert stalled["reason"] == reason
    assert all(word in stalled["message"] for word in words), stalled["message"]
    assert seen["status"]["failure"]["reason"] == reason


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
