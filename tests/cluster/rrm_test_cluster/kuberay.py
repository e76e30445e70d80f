"""KubeRay: its CRDs and its operator, which may come later than the cluster, or go."""

from dataclasses import dataclass

from rrm_test_cluster.client import Client
from rrm_test_cluster.daemons import Daemons, Probe, free_ports
from rrm_test_cluster.processes import stop

DAEMON = "kuberay-operator"


@dataclass(frozen=True)
class KubeRay:
    """KubeRay of one cluster; its operator runs as a process beside the other daemons."""

    client: Client
    daemons: Daemons
    address: str
    """Where its ports are: the loopback address, or the node's."""
    concurrency: int = 8
    """Objects of a kind that it reconciles at the same time; its own default is 1."""

    def install_crds(self) -> None:
        """Install the CRDs and wait until the API server serves them."""
        self.client.install_crds(*sorted(self.client.tools.kuberay_crds.glob("*.yaml")))

    def start(self) -> None:
        """Start the operator and wait until it is ready; the CRDs must be there."""
        metrics, health = free_ports(2)
        self.daemons.start(
            DAEMON,
            [
                self.client.tools.path("kuberay-operator"),
                "--enable-leader-election=false",
                f"--metrics-addr={self.address}:{metrics}",
                f"--health-probe-bind-address={self.address}:{health}",
                # The default of 100 calls a second is for a shared API server.
                f"--reconcile-concurrency={self.concurrency}",
                "--qps=500",
                "--burst=1000",
            ],
            environment={"KUBECONFIG": str(self.client.kubeconfig)},
        )
        self.daemons.wait_ready(DAEMON, Probe(self.address, health, "/readyz"))

    def stop(self) -> None:
        """Stop the operator; RayClusters stay as they are."""
        stop(self.daemons.ledger.remove_daemon(DAEMON), grace_seconds=10)
