"""Where plug-ins lie, in pods and on a laptop, and that every process finds them."""

import subprocess
import sys
from pathlib import Path

import pytest

from rrm.errors import PluginFailed, VolumeUnavailable
from rrm.plugins import path as plugin_path
from rrm.plugins.path import add_plugin_path, plugin_folder
from rrm_api.run import CLAIMS_MOUNT, Intent
from rrm_api.spec_data import Plugins


def with_plugins(plugins: Plugins | None) -> Intent:
    """Return an intent of which only the plug-ins matter."""
    return Intent.model_construct(plugins=plugins)


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A claims folder with a ConfigMap's folder and a claim, and a path that is as before afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for folder in ("own", "code/judges"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"found_in_{folder.replace('/', '_')}.py").write_text("x = 1")
    return tmp_path


@pytest.mark.parametrize(
    ("plugins", "folder"),
    [
        (Plugins(config_map_name="own"), "own"),
        (Plugins(claim_name="code"), "code"),
        (Plugins(claim_name="code", path="judges"), "code/judges"),
    ],
)
def test_on_a_laptop_the_folder_is_one_of_the_claims(claims: Path, plugins: Plugins, folder: str) -> None:
    environ: dict[str, str] = {}
    found = add_plugin_path(with_plugins(plugins), claims, environ=environ)
    assert found == (claims / folder).resolve()
    assert environ == {"PYTHONPATH": str(found)}
    assert sys.path[-1] == str(found)


def test_what_is_on_the_path_stays_before_it_and_a_second_call_changes_nothing(claims: Path) -> None:
    environ = {"PYTHONPATH": "/opt/rrm::/opt/more"}
    intent = with_plugins(Plugins(config_map_name="own"))
    for _ in range(2):
        add_plugin_path(intent, claims, environ=environ)
    assert environ == {"PYTHONPATH": f"/opt/rrm:/opt/more:{claims / 'own'}"}
    assert sys.path.count(str(claims / "own")) == 1


def test_a_process_that_is_started_afterwards_finds_the_files(claims: Path) -> None:
    environ: dict[str, str] = {}
    add_plugin_path(with_plugins(Plugins(claim_name="code", path="judges")), claims, environ=environ)
    command = [sys.executable, "-c", "import found_in_code_judges"]
    assert subprocess.run(command, env=environ, check=False).returncode == 0


def test_without_plugins_nothing_happens(claims: Path) -> None:
    environ: dict[str, str] = {}
    assert add_plugin_path(with_plugins(None), claims, environ=environ) is None
    assert environ == {}


def test_in_a_pod_the_mount_is_the_folder_whatever_it_holds() -> None:
    claims = Path(CLAIMS_MOUNT)
    assert str(plugin_folder(Plugins(config_map_name="own"), claims)) == "/etc/rrm-plugins"
    assert str(plugin_folder(Plugins(claim_name="c", path="a/b"), claims)) == "/etc/rrm-plugins/a/b"


def test_a_folder_that_is_missing_on_a_laptop_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(VolumeUnavailable, match=r"ConfigMap mine at .*/mine, found no folder; .*mkdir -p"):
        add_plugin_path(with_plugins(Plugins(config_map_name="mine")), tmp_path, environ={})


def test_a_path_that_the_claim_has_not_is_named_in_a_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plugin_path, "PLUGINS_MOUNT", str(tmp_path / "mount"))
    intent = with_plugins(Plugins(claim_name="code", path="no/such"))
    with pytest.raises(VolumeUnavailable, match=r"spec\.plugins\.path no/such: the claim code has no such"):
        add_plugin_path(intent, Path(CLAIMS_MOUNT), environ={})


@pytest.mark.parametrize(
    ("plugins", "says"),
    [
        (Plugins(config_map_name="void"), "the ConfigMap void, found none; is it there"),
        (Plugins(claim_name="void"), "of the claim void, found none"),
    ],
)
def test_an_empty_folder_is_what_a_missing_config_map_looks_like_in_a_pod(
    claims: Path, plugins: Plugins, says: str
) -> None:
    (claims / "void" / "..data").mkdir(parents=True)
    with pytest.raises(PluginFailed, match=says):
        add_plugin_path(with_plugins(plugins), claims, environ={})


@pytest.mark.parametrize(
    "name",
    [
        "json.py",
        "torch.py",
        "rrm/__init__.py",
        pytest.param("yaml.py", id="a package of the environment"),
        pytest.param("json.so", id="a compiled module"),
        pytest.param("random.cpython-311-x86_64-linux-gnu.so", id="a compiled module with its platform"),
        pytest.param("numpy/__init__.pyc", id="a package without its source"),
        pytest.param("sitecustomize.py", id="what Python runs at every start"),
    ],
)
def test_a_file_that_would_hide_a_module_of_others_is_refused(claims: Path, name: str) -> None:
    (claims / "own" / name).parent.mkdir(exist_ok=True)
    (claims / "own" / name).write_text("")
    with pytest.raises(PluginFailed, match="rename it, for example to own_"):
        add_plugin_path(with_plugins(Plugins(config_map_name="own")), claims, environ={})


@pytest.mark.parametrize(("name", "is_free"), [("yaml", True), ("numpy", False), ("rrm", False)])
def test_a_package_that_pip_put_there_is_wanted_unless_all_else_depends_on_it(
    claims: Path, name: str, is_free: bool
) -> None:
    for file, text in (
        (f"{name}/__init__.py", ""),
        (f"{name}-1.dist-info/RECORD", f"{name}/__init__.py,,\n"),
    ):
        (claims / "own" / file).parent.mkdir()
        (claims / "own" / file).write_text(text)
    intent = with_plugins(Plugins(config_map_name="own"))
    if is_free:
        assert add_plugin_path(intent, claims, environ={}) == claims / "own"
        return
    with pytest.raises(PluginFailed, match="rename it, for example to own_"):
        add_plugin_path(intent, claims, environ={})


@pytest.mark.parametrize("path", ["..", "judges/../../other", "judges:/tmp"])
def test_a_path_that_leaves_the_claim_or_names_two_folders_is_refused(claims: Path, path: str) -> None:
    with pytest.raises(
        PluginFailed, match=r"spec\.plugins\.path: expected one folder of the claim code, found"
    ):
        add_plugin_path(with_plugins(Plugins(claim_name="code", path=path)), claims, environ={})


def test_a_file_of_rows_may_be_called_like_a_module(claims: Path) -> None:
    (claims / "own" / "json.txt").write_text("")
    (claims / "own" / "types").mkdir()
    assert add_plugin_path(with_plugins(Plugins(config_map_name="own")), claims, environ={})
