"""The node's network: a cable to this host, a bridge for pods, and the API server's Service address."""

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rrm_test_cluster.control_plane import FIRST_SERVICE_ADDRESS
from rrm_test_cluster.errors import ClusterError, CommandFailed
from rrm_test_cluster.node.shell import run

API_PORT = 6443
_PREFIXES = (["10", "213"], ["10", "214"])
"""Of the cables and of the pods."""
_SYSTEM_CONTROLS = ("net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")


class NoFreeNetwork(ClusterError):
    """Every network the node could use is taken on this host."""


@dataclass(frozen=True)
class NodeNetwork:
    """Addresses of one node; several nodes of several clusters differ by the number."""

    number: int

    @property
    def cable(self) -> str:
        """Name of this host's end of the cable."""
        return f"rrm{self.number}"

    @property
    def host_address(self) -> str:
        """This host, as the node sees it."""
        return f"10.213.{self.number}.1"

    @property
    def node_address(self) -> str:
        """The node, as this host and the pods see it."""
        return f"10.213.{self.number}.2"

    @property
    def pods(self) -> str:
        """Network of the pods; this host reaches them directly."""
        return f"10.214.{self.number}.0/24"


def taken_numbers(destinations: Iterable[str]) -> frozenset[int]:
    """Return the numbers whose networks appear among this host's routes.

    >>> sorted(taken_numbers(["default", "10.213.0.0/30", "10.214.7.0/24"]))
    [0, 7]
    """
    parts = [destination.split("/")[0].split(".") for destination in destinations]
    return frozenset(int(part[2]) for part in parts if len(part) == 4 and part[:2] in _PREFIXES)


def connect_node(holder: int, enter: Sequence[str]) -> NodeNetwork:
    """Lay the cable between this host and the namespace of the holder, and set the node's network up.

    Raises:
        NoFreeNetwork: All numbers are taken.
    """
    network = _plug_in(holder)
    run("ip", "address", "add", f"{network.host_address}/30", "dev", network.cable)
    run("ip", "link", "set", network.cable, "up")
    run("ip", "address", "add", f"{network.node_address}/30", "dev", "node0", enter=enter)
    for device in ("lo", "node0"):
        run("ip", "link", "set", device, "up", enter=enter)
    # All of this goes by itself when the namespace ends: the cable's other end takes this one with it.
    run("ip", "route", "add", network.pods, "via", network.node_address)
    run("sysctl", "-qw", *_SYSTEM_CONTROLS, enter=enter)
    _translate_api_address(network, enter)
    return network


def bridge_config(network: NodeNetwork, leases: str) -> str:
    """Return the CNI configuration: a bridge that pods reach the node and each other over."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": leases,
            "ranges": [[{"subnet": network.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "rrm", "plugins": [bridge, ports]})


def _plug_in(holder: int) -> NodeNetwork:
    taken = taken_numbers(
        route["dst"] for route in json.loads(run("ip", "-json", "route", "show", "table", "all"))
    )
    for number in itertools.filterfalse(taken.__contains__, range(255)):
        network = NodeNetwork(number)
        peer = ("peer", "name", "node0", "netns", str(holder))
        try:
            run("ip", "link", "add", network.cable, "type", "veth", *peer)
        except CommandFailed as failure:
            # Another cluster took the same number in the same moment; its name is the lock.
            if "exists" not in failure.stderr:
                raise
        else:
            return network
    raise NoFreeNetwork("10.213.0.0 to 10.213.254.0 are all routed on this host; take other clusters down")


def _translate_api_address(network: NodeNetwork, enter: Sequence[str]) -> None:
    # In place of kube-proxy: the only Service address that pods use is the API server's.
    matching = ("-d", f"{FIRST_SERVICE_ADDRESS}/32", "-p", "tcp", "--dport", "443")
    target = ("-j", "DNAT", "--to-destination", f"{network.node_address}:{API_PORT}")
    run("iptables", "-t", "nat", "-A", "PREROUTING", *matching, *target, enter=enter)
