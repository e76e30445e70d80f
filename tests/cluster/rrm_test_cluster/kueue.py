"""Kueue: its CRDs, its webhooks and its controllers, which a test may add to a cluster with fake nodes.

Its controllers run as a process, as KubeRay's operator does; everything else is what its own manifests say.
A Service without a cluster address leads the API server to its webhooks, and this module does what a kubelet
would: it writes the Secret with the certificate that Kueue makes for itself into the folder where it looks.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster.daemons import Daemons, Probe, free_ports
from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.processes import stop

DAEMON: Final = "kueue-manager"
NAMESPACE: Final = "kueue-system"
_ADDRESS: Final = "127.0.0.1"
_SERVICE: Final = "kueue-webhook-service"
_SECRET: Final = "kueue-webhook-server-cert"
_WEBHOOK_FILE: Final = "manifests.yaml"
_SERVED: Final = ("kueue.x-k8s.io", "ray.io")
"""API groups whose webhooks are installed: Jobs and pods are not Kueue's here, and need not wait for it."""

_PROBE: Final[Manifest] = {
    "apiVersion": "ray.io/v1",
    "kind": "RayCluster",
    "metadata": {"name": "kueue-probe"},
    "spec": {
        "headGroupSpec": {
            "rayStartParams": {},
            "template": {"spec": {"containers": [{"name": "ray-head", "image": "ray"}]}},
        }
    },
}


@dataclass
class Kueue:
    """Kueue of one cluster.

    Attributes:
        client: Acts as the administrator.
        daemons: Where its process is noted, so that it ends with the cluster.
        folder: Its configuration and its certificate.
    """

    client: Client
    daemons: Daemons
    folder: Path
    _webhook_port: int = field(default=0, init=False)

    def start(self) -> None:
        """Install Kueue and wait until it admits RayClusters; KubeRay's CRDs must be there.

        Raises:
            ToolsUnavailable: Its binary is not built.
            DaemonFailed: It did not get ready.
        """
        binary = self.client.tools.path(DAEMON)
        self._webhook_port, health = free_ports(2)
        certificates = self.folder / "certificates"
        certificates.mkdir(parents=True, exist_ok=True)
        self._install()
        configuration = self.folder / "configuration.yaml"
        configuration.write_text(
            yaml.safe_dump(configuration_of(certificates, self._webhook_port, health=health))
        )
        self.daemons.start(
            DAEMON,
            [binary, f"--config={configuration}"],
            environment={"KUBECONFIG": str(self.client.kubeconfig)},
        )
        self.daemons.wait_ready(DAEMON, lambda: self._write_certificate(certificates))
        self.daemons.wait_ready(DAEMON, Probe(_ADDRESS, health, "/readyz"))
        self.daemons.wait_ready(DAEMON, self._is_asked)

    def stop(self) -> None:
        """Stop Kueue; RayClusters and queues stay as they are."""
        # First: the API server refuses every RayCluster while nobody answers them.
        self.client.kubectl("delete", *(f"{kind}/{name}" for kind, name in _configurations()))
        stop(self.daemons.ledger.remove_daemon(DAEMON), grace_seconds=10)

    def _install(self) -> None:
        manifests = self.client.tools.manifests("kueue")
        self.client.install_crds(*sorted(manifests.glob("kueue.x-k8s.io_*.yaml")))
        meta = {"namespace": NAMESPACE}
        # The API server connects to this name, and expects the certificate of the Service's own name.
        service = {"type": "ExternalName", "externalName": _ADDRESS}
        self.client.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": _SECRET, **meta}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": _SERVICE, **meta}, "spec": service},
            *webhook_objects((manifests / _WEBHOOK_FILE).read_text(), self._webhook_port),
        )

    def _write_certificate(self, folder: Path) -> bool:
        data = self.client.get("secret", _SECRET, namespace=NAMESPACE).get("data", {})
        # The certificate last: Kueue reads both as soon as it is there.
        for name in ("tls.key", "tls.crt") if "tls.crt" in data else ():
            (folder / name).touch(mode=0o600)
            (folder / name).write_bytes(base64.b64decode(data[name]))
        return "tls.crt" in data

    def _is_asked(self) -> bool:
        """Whether the API server reaches the webhook of RayClusters, which comes after all others."""
        with suppress(CommandFailed):
            self.client.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(_PROBE))
            return True
        return False


def configuration_of(certificates: Path, webhook: int, *, health: int) -> dict[str, Any]:
    """Return Kueue's configuration: it manages RayClusters, and listens on the loopback address only."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta1",
        "kind": "Configuration",
        "namespace": NAMESPACE,
        "health": {"healthProbeBindAddress": f"{_ADDRESS}:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": _ADDRESS, "port": webhook, "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        # The defaults (20/30) are for a shared API server.
        "clientConnection": {"qps": 500, "burst": 1000},
        "integrations": {"frameworks": ["ray.io/raycluster"]},
        # An API server of its own with a fixed port and a folder outside the cluster's.
        "featureGates": {"VisibilityOnDemand": False},
    }


def webhook_objects(manifests: str, port: int) -> list[Manifest]:
    """Return Kueue's webhook configurations of the served groups, their Service at that port.

    Args:
        manifests: The YAML that comes with Kueue; its names lack the prefix that an installation adds.
        port: Where its webhooks listen.
    """
    names = dict(_configurations())
    return [
        {
            **document,
            "metadata": {"name": names[document["kind"]]},
            "webhooks": list(_served_webhooks(document["webhooks"], port)),
        }
        for document in yaml.safe_load_all(manifests)
    ]


def _served_webhooks(webhooks: list[Manifest], port: int) -> Iterator[Manifest]:
    for webhook in webhooks:
        if {group for rule in webhook["rules"] for group in rule["apiGroups"]} <= set(_SERVED):
            path = webhook["clientConfig"]["service"]["path"]
            service = {"name": _SERVICE, "namespace": NAMESPACE, "path": path, "port": port}
            yield {**webhook, "clientConfig": {"service": service}}


def _configurations() -> list[tuple[str, str]]:
    # Kueue derives these names from its Service's, to put the authority of its certificate into them.
    return [
        (kind, f"kueue-{verb}-webhook-configuration")
        for kind, verb in (
            ("MutatingWebhookConfiguration", "mutating"),
            ("ValidatingWebhookConfiguration", "validating"),
        )
    ]
