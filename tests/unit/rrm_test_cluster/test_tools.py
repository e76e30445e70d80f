import re
from dataclasses import replace
from pathlib import Path

import pytest

from rrm_test_cluster.tools import (
    ALL_BUILDS,
    BUILDS,
    KUEUE_BUILD,
    MINIMUM_GO,
    MODULES,
    Tools,
    ToolsUnavailable,
    binary_names,
    build_key,
    folder_name,
    verify_binary,
)

ETCD = BUILDS[0]
README = Path(__file__).parents[3] / "README.md"


def put_go_on_path(folder: Path, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho '{says}'\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_every_build_has_a_module_whose_sums_pin_its_sources() -> None:
    for build in ALL_BUILDS:
        assert (MODULES / build.module / "go.sum").stat().st_size > 0


def test_another_compiler_is_another_key() -> None:
    sums = [("go.sum", b"one")]

    assert build_key(ETCD, sums, "go1.26.8") != build_key(ETCD, sums, "go1.26.9")


def test_other_flags_of_the_linker_are_another_key() -> None:
    assert build_key(ETCD, [], "go") != build_key(replace(ETCD, linker_flags="-w"), [], "go")


def test_the_order_of_the_sums_does_not_change_the_key() -> None:
    one, two = ("go.mod", b"1"), ("go.sum", b"2")

    assert build_key(ETCD, [one, two], "go") == build_key(ETCD, [two, one], "go")


def test_each_build_has_a_folder_of_its_own_so_that_one_new_version_builds_one_module() -> None:
    folders = {folder_name(build) for build in ALL_BUILDS}

    assert len(folders) == len(ALL_BUILDS)


def test_kueue_is_no_part_of_what_every_cluster_needs(tmp_path: Path) -> None:
    assert KUEUE_BUILD not in BUILDS
    with pytest.raises(ToolsUnavailable, match="kueue-manager is missing; run `make cluster-tools`"):
        Tools(tmp_path).path("kueue-manager")


def test_a_binary_of_another_version_is_refused_with_what_it_said(tmp_path: Path) -> None:
    other = tmp_path / "etcd"
    other.write_text("#!/bin/sh\necho 'etcd Version: 3.4.23'\n")
    other.chmod(0o755)

    with pytest.raises(ToolsUnavailable, match=r"should report 'etcd Version: 3\.6\.5' but says .*3\.4\.23"):
        verify_binary(other)


def test_an_absent_binary_names_the_command_that_builds_it(tmp_path: Path) -> None:
    with pytest.raises(ToolsUnavailable, match="make cluster-tools"):
        verify_binary(tmp_path / "kubelet")


def test_all_binaries_of_a_node_are_built() -> None:
    expected = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"}

    assert expected | {"kuberay-operator", "helm", "kueue-manager"} == set(binary_names())


@pytest.mark.parametrize("old", ["go1.19.8", "go1.25.12", "go1.9", ""])
def test_a_go_that_is_too_old_is_refused_before_anything_is_built(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go_on_path(tmp_path, old, monkeypatch)
    said = re.escape(old or "of no known version")

    with pytest.raises(ToolsUnavailable, match=rf"go is {said}; install Go 1\.26 or newer"):
        folder_name(replace(ETCD, linker_flags=old))


@pytest.mark.parametrize(
    "new", ["go1.26", "go1.26.8", "go1.26rc1", "go1.100.1", "go2.0", "devel go1.27-f4b2c3d"]
)
def test_a_go_that_is_new_enough_is_taken(new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_go_on_path(tmp_path, new, monkeypatch)

    assert folder_name(replace(ETCD, linker_flags=new)).startswith("etcd-")


def test_what_an_old_go_would_fetch_for_a_module_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go_on_path(tmp_path, "go1.21.0", monkeypatch)
    go = tmp_path / "go"
    go.write_text('#!/bin/sh\n[ "$GOTOOLCHAIN" = local ] && echo go1.21.0 || echo go1.26.8\n')

    with pytest.raises(ToolsUnavailable, match=r"is go1\.21\.0"):
        folder_name(replace(ETCD, linker_flags="fetched"))


def test_without_go_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolsUnavailable, match=r"no `go` on PATH; install Go 1\.26 or newer"):
        folder_name(replace(ETCD, linker_flags="none"))


def test_the_oldest_go_that_is_taken_is_what_the_modules_ask_for_and_the_readme_says() -> None:
    asked = [
        tuple(map(int, re.findall(r"^go (\d+)\.(\d+)", path.read_text(), flags=re.MULTILINE)[0]))
        for path in MODULES.glob("*/go.mod")
    ]

    assert max(asked) == MINIMUM_GO
    assert f"Go {MINIMUM_GO[0]}.{MINIMUM_GO[1]} or newer" in README.read_text(encoding="utf-8")
