"""Start the node's daemons in their order; called by `boot`."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from rrm_test_cluster.client import Client
from rrm_test_cluster.control_plane import ControlPlane
from rrm_test_cluster.daemons import Daemons, standin
from rrm_test_cluster.dns import is_answering
from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.node import cgroups
from rrm_test_cluster.node.containerd import containerd_config, ctr, import_image
from rrm_test_cluster.node.kubelet import NODE_NAME, kubelet_command, kubelet_config
from rrm_test_cluster.node.namespace import hold
from rrm_test_cluster.node.network import NodeNetwork, bridge_config, connect_node
from rrm_test_cluster.node.pause import PAUSE_IMAGE, pause_archive


@dataclass(frozen=True)
class RealNode:
    """The one node of a cluster: where its parts are, and how they are started."""

    folder: Path
    daemons: Daemons
    network: NodeNetwork
    _imported: set[tuple[Path, int]] = field(default_factory=set)

    @classmethod
    def make(cls, folder: Path, daemons: Daemons) -> "RealNode":
        """Make the namespace and the network; daemons started from now on live in it."""
        daemons.enter = hold(daemons.ledger)
        holder = daemons.ledger.state.holder
        assert holder is not None, "hold() notes the process it made"
        network = connect_node(holder.pid, daemons.enter)
        cgroup = f"rrm-{network.number}"
        daemons.ledger.update(cgroup=cgroup, cable=network.cable)
        cgroups.create(cgroup)
        return cls(folder, daemons, network)

    def start_containerd(self) -> None:
        """Start containerd, and give it the sandbox image."""
        (self.folder / "cni").mkdir()
        config = bridge_config(self.network, str(self.folder / "cni-leases"))
        (self.folder / "cni" / "10-bridge.conflist").write_text(config)
        path = self.folder / "containerd.toml"
        path.write_text(containerd_config(self.folder, pause_image=PAUSE_IMAGE))
        self.daemons.start("containerd", ["containerd", "--config", path])
        self.daemons.wait_ready("containerd", self._is_containerd_ready)
        self.import_image(pause_archive())

    def start_kubelet(self, control_plane: ControlPlane, client: Client) -> None:
        """Start kubelet and DNS, and wait until pods can be scheduled."""
        address = self.network.node_address
        pair = control_plane.authority.issue("kubelet", f"system:node:{NODE_NAME}", group="system:nodes")
        config = kubelet_config(
            self.folder,
            node_address=address,
            authority=control_plane.authority.certificate,
            cgroup=self.daemons.ledger.state.cgroup,
        )
        (self.folder / "resolv.empty").touch()
        (self.folder / "kubelet.yaml").write_text(yaml.safe_dump(config))
        kubeconfig = control_plane.client("kubelet.kubeconfig", pair)
        command = kubelet_command(self.folder, client.tools, node_address=address, kubeconfig=kubeconfig)
        self.daemons.start("kubelet", command)
        dns = [*standin("dns"), "--kubeconfig", str(control_plane.kubeconfig), "--address", address]
        self.daemons.start("dns", dns)
        self.daemons.wait_ready("dns", lambda: is_answering(address))
        self.daemons.wait_ready("kubelet", lambda: _is_node_ready(client))

    def import_image(self, archive: Path) -> None:
        """Import a docker-archive into the node, unless this very file was imported before."""
        content = (archive.resolve(), archive.stat().st_mtime_ns)
        if content not in self._imported:
            import_image(self.daemons.enter, archive)
            self._imported.add(content)

    def _is_containerd_ready(self) -> bool:
        try:
            ctr(self.daemons.enter, "version")
        except CommandFailed:
            return False
        return True


def set_fake_gpus(client: Client, count: int) -> None:
    """Let the node claim that many GPUs; 0 takes the resource away. No device exists in any pod."""
    value = str(count) if count else None
    gpus = {"nvidia.com/gpu": value}
    status = {"status": {"capacity": gpus, "allocatable": gpus}}
    how = ("--subresource=status", "--type=merge", "--patch", json.dumps(status))
    client.kubectl("patch", "node", NODE_NAME, *how)


def _is_node_ready(client: Client) -> bool:
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return client.kubectl("get", "node", NODE_NAME, "--ignore-not-found", "-o", f"jsonpath={path}") == "True"
