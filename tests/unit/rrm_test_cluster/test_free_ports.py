"""Ports for daemons that are told theirs before they start."""

import socket
from pathlib import Path

import pytest

from rrm_test_cluster import daemons
from rrm_test_cluster.daemons import free_ports
from rrm_test_cluster.errors import ClusterError

HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_they_are_none_that_the_kernel_may_hand_out_meanwhile() -> None:
    first, last = map(int, HANDED_OUT.read_text().split())
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert not any(first <= port <= last for port in ports)


def test_one_that_somebody_listens_on_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(daemons, "_OWN_PORTS", (taken, free))
    with socket.create_server(("127.0.0.1", taken)):
        assert free_ports(1) == (free,)


def test_too_few_are_an_error_that_says_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    (taken,) = free_ports(1)
    monkeypatch.setattr(daemons, "_OWN_PORTS", range(taken, taken + 1))
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(ClusterError, match="expected 1 free"):
        free_ports(1)
