from dataclasses import replace
from pathlib import Path

import pytest

from rrm_test_cluster.tools import (
    ALL_BUILDS,
    BUILDS,
    KUEUE_BUILD,
    MODULES,
    Tools,
    ToolsUnavailable,
    binary_names,
    build_key,
    folder_name,
    verify_binary,
)

ETCD = BUILDS[0]


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
