"""Bring a cluster up, step by step, noting each trace before the next step."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rrm_test_cluster.control_plane import ControlPlane, Endpoints
from rrm_test_cluster.daemons import Daemons, free_ports
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.level import Level
from rrm_test_cluster.requirements import check_requirements
from rrm_test_cluster.state import STATE_FILE, Ledger, State
from rrm_test_cluster.teardown import LOGS
from rrm_test_cluster.tools import Tools


@dataclass(frozen=True)
class BootOptions:
    """What to start.

    Attributes:
        level: How much of a Kubernetes.
        kuberay: Whether KubeRay (its CRDs and its operator) is there from the start.
        fake_nodes: Number of nodes of the level with fake nodes.
        gpus: `nvidia.com/gpu` of each node.
    """

    level: Level
    kuberay: bool = True
    fake_nodes: int = 4
    gpus: int = 8


class FolderInUse(ClusterError):
    """Another cluster was started in the same folder and not taken down."""


class Boot:
    """One cluster being started; its `state` is all that a teardown needs."""

    def __init__(self, options: BootOptions, tools: Tools, ledger: Ledger) -> None:
        self.options, self.tools, self.ledger = options, tools, ledger
        self.folder = ledger.state.folder
        self.daemons = Daemons(ledger, self.folder / LOGS)

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
        self.control_plane = ControlPlane(self.folder, self._endpoints(), self.tools)
        self._start_api()

    def _endpoints(self) -> Endpoints:
        return Endpoints("127.0.0.1", *free_ports(5))

    def _start_api(self) -> None:
        self.daemons.start("etcd", self.control_plane.etcd())
        self.daemons.wait_ready("etcd", self.control_plane.is_etcd_ready())
        self.daemons.start("kube-apiserver", self.control_plane.api_server())
        self.daemons.wait_ready("kube-apiserver", self.control_plane.is_api_ready())
