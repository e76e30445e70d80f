"""Command lines of etcd, the API server, the controllers and the scheduler."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from rrm_test_cluster.audit import AUDIT_LOG, write_audit_policy
from rrm_test_cluster.daemons import Probe
from rrm_test_cluster.pki import CertificateAuthority, KeyPair, client_kubeconfig
from rrm_test_cluster.teardown import LOGS
from rrm_test_cluster.tools import Tools

SERVICE_NETWORK = "10.215.0.0/16"
FIRST_SERVICE_ADDRESS = "10.215.0.1"
"""Where pods look for the API server (the Service ``kubernetes``)."""


@dataclass(frozen=True)
class Endpoints:
    """Where the daemons listen."""

    address: str
    """Of etcd and the API server: the loopback address, or the node's, which this host reaches too."""
    etcd: int
    etcd_peer: int
    api: int
    controllers: int
    scheduler: int

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.address}:{self.api}"


class ControlPlane:
    """The identities of one control plane and how its daemons are started."""

    def __init__(self, folder: Path, endpoints: Endpoints, tools: Tools) -> None:
        self.endpoints = endpoints
        self._folder, self._tools = folder, tools
        self.authority = CertificateAuthority(folder / "pki")
        names = ("127.0.0.1", "localhost", endpoints.address, FIRST_SERVICE_ADDRESS, "kubernetes.default.svc")
        self._serving = self.authority.issue("apiserver", "kube-apiserver", names=names)
        self.admin = self.authority.issue("admin", "admin", group="system:masters")
        self._tokens = self.authority.service_account_keys()
        self.kubeconfig = self.client("admin.kubeconfig", self.admin)
        self.audit_log = folder / LOGS / AUDIT_LOG

    def client(self, file: str, pair: KeyPair) -> Path:
        """Write the kubeconfig of a certificate's owner."""
        return client_kubeconfig(
            self._folder / file,
            server=self.endpoints.server,
            authority=self.authority.certificate,
            client=pair,
        )

    def etcd(self) -> list[str]:
        """Command line of etcd."""
        base = f"http://{self.endpoints.address}"
        url, peer = f"{base}:{self.endpoints.etcd}", f"{base}:{self.endpoints.etcd_peer}"
        return [
            str(self._tools.path("etcd")),
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # The data lives as long as the cluster: nothing to lose in a power cut.
            "--unsafe-no-fsync",
        ]

    def api_server(self) -> list[str]:
        """Command line of the API server: RBAC and every default admission plug-in."""
        issuer = "https://kubernetes.default.svc.cluster.local"
        return [
            str(self._tools.path("kube-apiserver")),
            f"--etcd-servers=http://{self.endpoints.address}:{self.endpoints.etcd}",
            f"--bind-address={self.endpoints.address}",
            f"--advertise-address={self.endpoints.address}",
            f"--secure-port={self.endpoints.api}",
            f"--client-ca-file={self.authority.certificate}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
            f"--service-account-issuer={issuer}",
            f"--service-account-signing-key-file={self._tokens.key}",
            f"--service-account-key-file={self._tokens.certificate}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            # A loopback address may not be an endpoint of the Service `kubernetes`; only a node needs one.
            *(["--endpoint-reconciler-type=none"] if self.endpoints.address == "127.0.0.1" else []),
            f"--kubelet-client-certificate={self.admin.certificate}",
            f"--kubelet-client-key={self.admin.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--cert-dir={self._folder / 'pki'}",
            f"--audit-policy-file={write_audit_policy(self._folder)}",
            f"--audit-log-path={self.audit_log}",
        ]

    def controllers(self) -> list[str]:
        """Command line of the controller-manager."""
        pair = self.authority.issue("controllers", "system:kube-controller-manager")
        return [
            str(self._tools.path("kube-controller-manager")),
            f"--kubeconfig={self.client('controllers.kubeconfig', pair)}",
            f"--service-account-private-key-file={self._tokens.key}",
            f"--root-ca-file={self.authority.certificate}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.endpoints.controllers}",
            # The defaults (20/30) hold a hundred trainings back for minutes.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            # Nodes here end with the cluster: no heartbeat is watched, so fake nodes need not send any.
            "--node-monitor-grace-period=8760h",
            f"--cert-dir={self._folder / 'pki'}",
        ]

    def scheduler(self) -> list[str]:
        """Command line of the scheduler."""
        kubeconfig = self.client(
            "scheduler.kubeconfig", self.authority.issue("scheduler", "system:kube-scheduler")
        )
        return [
            str(self._tools.path("kube-scheduler")),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.endpoints.scheduler}",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            f"--cert-dir={self._folder / 'pki'}",
        ]

    def api_probe(self, path: str) -> Probe:
        """Probe whether the API server answers a path with 200 to its administrator."""
        tls = ssl.create_default_context(cafile=str(self.authority.certificate))
        tls.load_cert_chain(self.admin.certificate, self.admin.key)
        return Probe(self.endpoints.address, self.endpoints.api, path, tls)

    def is_etcd_ready(self) -> Probe:
        """Probe of etcd's health."""
        return Probe(self.endpoints.address, self.endpoints.etcd, "/health")
