"""A machine that is too small is told what is missing before anything is started."""

import os
import shutil
from types import SimpleNamespace

import pytest

from rrm_test_cluster.demo.errors import EXIT_MISSING, NotHere
from rrm_test_cluster.demo.machine import NEEDED_DISK_GIB, NEEDED_MEMORY_GIB, check_room

GIB = 2**30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine of any size."""
    size = SimpleNamespace(memory=NEEDED_MEMORY_GIB + 1, disk=NEEDED_DISK_GIB["first"] + 1)
    monkeypatch.setattr(
        os, "sysconf", lambda name: size.memory * GIB // 4096 if name == "SC_PHYS_PAGES" else 4096
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size.disk * GIB))
    return size


def test_a_machine_that_is_big_enough_passes(machine: SimpleNamespace) -> None:
    check_room(is_first=True)


def test_every_lack_is_named_with_what_is_needed_and_what_is_here(machine: SimpleNamespace) -> None:
    machine.memory, machine.disk = 3, 2
    with pytest.raises(NotHere) as refused:
        check_room(is_first=True)
    assert refused.value.exit_code == EXIT_MISSING
    assert f"memory: {NEEDED_MEMORY_GIB} GiB are needed, this machine has 3 GiB" in str(refused.value)
    assert f"disk: {NEEDED_DISK_GIB['first']} GiB are needed" in str(refused.value)
    assert "rrm run crds/examples/tiny-cpu.yaml" in str(refused.value)


def test_filled_caches_need_less_and_the_tests_more(machine: SimpleNamespace) -> None:
    machine.disk = NEEDED_DISK_GIB["later"] + 1
    check_room(is_first=False)
    with pytest.raises(NotHere):
        check_room(is_first=False, more_gib=16)
