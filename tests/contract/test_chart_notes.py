"""What Helm prints after an installation: what comes next, for this release."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from rrm_api.v1alpha1 import RewardModelTraining
from tests.contract.rendered_chart import CHART, only, render

pytestmark = pytest.mark.api


def notes(folder: Path, *sets: str) -> str:
    """Return what Helm prints after an installation, made a manifest: `helm template` leaves it out."""
    chart = shutil.copytree(CHART, folder / "chart")
    (chart / "templates" / "NOTES.txt").rename(chart / "notes.txt")
    wrapped = 'kind: Notes\ntext: {{ tpl (.Files.Get "notes.txt") . | toJson }}\n'
    (chart / "templates" / "notes.yaml").write_text(wrapped)
    text: str = only(render(*sets, chart=chart), "Notes")["text"]
    return text


def test_the_notes_name_both_images_that_the_cluster_must_pull(tmp_path: Path) -> None:
    sets = (
        "image.repository=registry.example.com/operator",
        "settings.defaultImage=registry.example.com/trainer:7",
    )
    lines = notes(tmp_path, *sets).splitlines()
    assert (
        f"registry.example.com/operator:{yaml.safe_load((CHART / 'Chart.yaml').read_text())['appVersion']}"
        in lines
    )
    assert "registry.example.com/trainer:7" in lines


def test_the_notes_tell_how_to_see_the_operator_of_this_release(tmp_path: Path) -> None:
    deployment = only(render(), "Deployment")["metadata"]
    lines = notes(tmp_path).splitlines()
    assert f"kubectl --namespace system rollout status deployment/{deployment['name']}" in lines


@pytest.mark.parametrize(
    ("sets", "where"),
    [((), "kubectl apply"), (("settings.watchedNamespaces={a,b}",), "kubectl --namespace a apply")],
    ids=["all namespaces", "two namespaces"],
)
def test_the_notes_hold_a_training_that_can_be_pasted(
    tmp_path: Path, sets: tuple[str, ...], where: str
) -> None:
    found = re.search(rf"^{where} --filename - <<'END'\n(.*?)^END$", notes(tmp_path, *sets), re.M | re.S)
    assert found is not None, "at the left margin, where a shell finds the end"
    training = RewardModelTraining.model_validate(yaml.safe_load(found[1]))
    assert training.spec.workers.nodes == 1
