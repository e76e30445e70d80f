"""What the guides must tell, compared with the code."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from rrm_api.conditions import Reason
from rrm_operator import metrics

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/guides/operations.md"
GITOPS = ROOT / "docs/guides/gitops.md"
HEALTH_KEY = "resource.customizations.health.training.rrm.dev_RewardModelTraining"
MAKES_A_KEY = re.compile(r"""--from-literal="?([^\s="]+)="?(?:\$\(openssl rand|\{secrets)""")


@pytest.mark.parametrize("reason", sorted(Reason))
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason}`" in OPERATIONS.read_text(encoding="utf-8")


def names() -> list[str]:
    ours = (it for it in vars(metrics).values() if isinstance(it, MetricWrapperBase))
    described = (family for it in ours for family in it.describe())
    return sorted(it.name + ("_total" if it.type == "counter" else "") for it in described)


@pytest.mark.parametrize("name", names())
def test_every_metric_is_explained(name: str) -> None:
    assert f"`{name}`" in OPERATIONS.read_text(encoding="utf-8")


def test_every_command_that_makes_the_keys_of_rays_tokens_names_the_first_one_alike() -> None:
    """They are `create`: whoever follows two texts must not end with two keys, of which none is chosen."""
    rooms = ("README.md", "docs/**/*.md", "charts/**/*.txt", "operator/**/*.py", "tests/cluster/**/*.py")
    texts = {path: path.read_text(encoding="utf-8") for room in rooms for path in ROOT.glob(room)}
    named = {path.name: MAKES_A_KEY.findall(text) for path, text in texts.items() if MAKES_A_KEY.search(text)}
    files = ("README.md", "security.md", "NOTES.txt", "key_folder.py", "install.py")
    assert named == {name: ["k1"] for name in files}


def test_the_guide_teaches_argo_cd_the_very_script_that_the_chart_brings() -> None:
    text = GITOPS.read_text(encoding="utf-8")
    block = re.search(r"^```yaml\n(apiVersion: v1\nkind: ConfigMap.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    script = ROOT / "charts/rrm-operator/files/argocd-health.lua"
    assert yaml.safe_load(block[1])["data"] == {HEALTH_KEY: script.read_text(encoding="utf-8")}
    assert f"--from-file={HEALTH_KEY}={script.relative_to(ROOT)} " in text
