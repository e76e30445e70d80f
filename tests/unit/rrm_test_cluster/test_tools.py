from pathlib import Path

import pytest

from rrm_test_cluster.tools import BUILDS, MODULES, ToolsUnavailable, binary_names, tools_key, verify_binary


def test_every_build_has_a_module_whose_sums_pin_its_sources() -> None:
    for build in BUILDS:
        assert (MODULES / build.module / "go.sum").stat().st_size > 0


def test_another_compiler_is_another_key() -> None:
    sums = [("etcd/go.sum", b"one")]

    assert tools_key(sums, "go1.26.8") != tools_key(sums, "go1.26.9")


def test_the_order_of_the_sums_does_not_change_the_key() -> None:
    one, two = ("a/go.sum", b"1"), ("b/go.sum", b"2")

    assert tools_key([one, two], "go") == tools_key([two, one], "go")


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

    assert expected | {"kuberay-operator", "helm"} == set(binary_names())
