"""Bring a cluster up, step by step, noting each trace before the next step."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rrm_test_cluster.client import Client
from rrm_test_cluster.control_plane import ControlPlane, Endpoints
from rrm_test_cluster.daemons import Daemons, free_ports, standin
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.kuberay import KubeRay
from rrm_test_cluster.kueue import Kueue
from rrm_test_cluster.level import Level
from rrm_test_cluster.node.network import API_PORT
from rrm_test_cluster.node.real_node import RealNode, set_fake_gpus
from rrm_test_cluster.provisioner import STORAGE_CLASSES, storage_class
from rrm_test_cluster.requirements import check_requirements
from rrm_test_cluster.state import STATE_FILE, Ledger, State
from rrm_test_cluster.teardown import LOGS
from rrm_test_cluster.tools import Tools

VOLUMES = "volumes"
"""Folder of the folders that claims get."""
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


@dataclass(frozen=True)
class BootOptions:
    """What to start.

    Attributes:
        level: How much of a Kubernetes.
        kuberay: Whether KubeRay (its CRDs and its operator) is there from the start.
        fake_nodes: Number of nodes of the level with fake nodes.
        gpus: `nvidia.com/gpu` of each node.
        kuberay_concurrency: Objects of a kind that KubeRay reconciles at the same time; its own default is 1.
    """

    level: Level
    kuberay: bool = True
    fake_nodes: int = 4
    gpus: int = 8
    kuberay_concurrency: int = 8


class FolderInUse(ClusterError):
    """Another cluster was started in the same folder and not taken down."""


class Boot:
    """One cluster being started; its `state` is all that a teardown needs."""

    def __init__(self, options: BootOptions, tools: Tools, ledger: Ledger) -> None:
        self.options, self.tools, self.ledger = options, tools, ledger
        self.folder = ledger.state.folder
        self.daemons = Daemons(ledger, self.folder / LOGS)
        self.node: RealNode | None = None

    @classmethod
    def prepare(cls, options: BootOptions, folder: Path | None) -> "Boot":
        """Check the machine and make the folder; nothing is started.

        Raises:
            Missing: This machine lacks something.
            FolderInUse: A cluster is there already.
        """
        tools = check_requirements(options.level)
        is_temporary = folder is None
        folder = folder or Path(tempfile.mkdtemp(prefix="rrm-cluster-"))
        if (folder / STATE_FILE).exists():
            raise FolderInUse(
                f"{folder} has a cluster already: use it, or take it down with `make cluster-down`"
            )
        folder = folder.resolve()
        (folder / LOGS).mkdir(parents=True, exist_ok=True)
        ledger = Ledger(State(folder, options.level, is_temporary))
        ledger.state.save()
        return cls(options, tools, ledger)

    @property
    def state(self) -> State:
        """The traces so far."""
        return self.ledger.state

    def run(self) -> None:
        """Start every part of the level and wait until it answers.

        Raises:
            DaemonFailed: A part did not get ready.
        """
        if self.options.level is Level.NODE:
            self.node = RealNode.make(self.folder, self.daemons)
        self.control_plane = ControlPlane(self.folder, self._endpoints(), self.tools)
        self.client = Client(self.tools, self.control_plane.kubeconfig)
        self.kuberay = KubeRay(
            self.client,
            self.daemons,
            self.control_plane.endpoints.address,
            self.options.kuberay_concurrency,
        )
        self.kueue = Kueue(self.client, self.daemons, self.folder / "kueue")
        self._start_api()
        if self.options.level is not Level.API:
            self._start_the_rest()
        self.daemons.check_all_alive()

    def _start_the_rest(self) -> None:
        self._start_controllers()
        if self.node is None:
            self._start_fake_nodes()
        else:
            self._start_node(self.node)
        if self.options.kuberay:
            self.kuberay.install_crds()
            self.kuberay.start()

    def _endpoints(self) -> Endpoints:
        if self.node is None:
            return Endpoints("127.0.0.1", *free_ports(5))
        # In a network namespace of one's own every port is free.
        return Endpoints(self.node.network.node_address, 2379, 2380, API_PORT, 10257, 10259)

    def _start_api(self) -> None:
        self.daemons.start("etcd", self.control_plane.etcd())
        self.daemons.wait_ready("etcd", self.control_plane.is_etcd_ready())
        self.daemons.start("kube-apiserver", self.control_plane.api_server())
        self.daemons.wait_ready("kube-apiserver", self.control_plane.api_probe("/readyz"))

    def _start_controllers(self) -> None:
        self.daemons.start("kube-controller-manager", self.control_plane.controllers())
        self.daemons.start("kube-scheduler", self.control_plane.scheduler())
        self.client.apply(*(storage_class(name) for name in STORAGE_CLASSES))
        volumes = self.folder / VOLUMES
        volumes.mkdir()
        self._start_standin("provisioner", "--folder", str(volumes))
        api_probe = self.control_plane.api_probe
        self.daemons.wait_ready("kube-controller-manager", api_probe(_DEFAULT_ACCOUNT))

    def _start_fake_nodes(self) -> None:
        numbers = ("--count", str(self.options.fake_nodes), "--gpus", str(self.options.gpus))
        self._start_standin("fake-nodes", *numbers)
        last = f"fake-{self.options.fake_nodes - 1:04d}"
        self.daemons.wait_ready("fake-nodes", self.control_plane.api_probe(f"/api/v1/nodes/{last}"))

    def _start_node(self, node: RealNode) -> None:
        node.start_containerd()
        node.start_kubelet(self.control_plane, self.client)
        set_fake_gpus(self.client, self.options.gpus)

    def _start_standin(self, name: str, *arguments: str) -> None:
        self.daemons.start(
            name, [*standin(name), "--kubeconfig", str(self.control_plane.kubeconfig), *arguments]
        )
