"""The embedded cluster as tests and the demo see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rrm_test_cluster.boot import Boot, BootOptions
from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster.daemons import standin
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.fake_pods import finished_status
from rrm_test_cluster.host_folders import host_folder_objects
from rrm_test_cluster.janitor import start_janitor
from rrm_test_cluster.level import Level
from rrm_test_cluster.node.real_node import RealNode, set_fake_gpus
from rrm_test_cluster.pki import token_kubeconfig
from rrm_test_cluster.teardown import tear_down


class NoSuchPart(ClusterError):
    """The level that was started does not have what was asked for."""


class Cluster:
    """A running cluster of some level.

    Attributes:
        level: What was started.
        folder: Everything it writes; `logs` in it has one file per daemon.
        kubeconfig: The administrator's, complete in itself, usable from this host.
    """

    def __init__(self, boot: Boot) -> None:
        self._boot = boot
        self.level: Level = boot.options.level
        self.folder: Path = boot.folder
        self.logs: Path = boot.daemons.logs
        self.kubeconfig: Path = boot.control_plane.kubeconfig
        self.server: str = boot.control_plane.endpoints.server
        self.audit_log: Path = boot.control_plane.audit_log
        self.client = Client(boot.tools, self.kubeconfig)

    @classmethod
    @contextmanager
    def start(cls, level: Level, folder: Path | None = None, **options: Any) -> Iterator["Cluster"]:
        """Start a cluster, and take it down at the end of the block, or when this process ends in any way.

        Args:
            level: How much of a Kubernetes.
            folder: Where it writes; its logs stay there. Without one, a temporary folder that goes.
            options: Further fields of `BootOptions`.

        Raises:
            Missing: This machine lacks something for that level.
            DaemonFailed: A daemon ended or was not ready in time; nothing is left behind.
        """
        boot = Boot.prepare(BootOptions(level, **options), folder)
        janitor = start_janitor(boot.folder, standin("janitor"))
        try:
            boot.run()
            yield cls(boot)
        finally:
            tear_down(boot.state)
            janitor.terminate()
            janitor.wait()

    @classmethod
    def start_detached(cls, level: Level, folder: Path, **options: Any) -> "Cluster":
        """Start a cluster that outlives this process; `tear_down(State.load(folder))` ends it.

        Raises: As `start`.
        """
        boot = Boot.prepare(BootOptions(level, **options), folder)
        try:
            boot.run()
        except BaseException:
            tear_down(boot.state)
            raise
        return cls(boot)

    def kubectl(self, *arguments: str, stdin: str = "", seconds: float = 300) -> str:
        """Run kubectl as administrator; see `Client.kubectl`."""
        return self.client.kubectl(*arguments, stdin=stdin, seconds=seconds)

    def helm(self, *arguments: str, stdin: str = "", seconds: float = 600) -> str:
        """Run helm as administrator; see `Client.helm`."""
        return self.client.helm(*arguments, stdin=stdin, seconds=seconds)

    def apply(self, *manifests: Manifest) -> None:
        """Apply objects on the server's side; see `Client.apply`."""
        self.client.apply(*manifests)

    def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Make a namespace with its ServiceAccount ``default``, which at level API no controller makes."""
        self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}},
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": name},
            },
        )

    def service_account_kubeconfig(self, namespace: str, name: str, *, duration: str = "24h") -> Path:
        """Write a kubeconfig that acts as a ServiceAccount, with its rights and no others."""
        token = self.kubectl(
            "create", "token", name, "--namespace", namespace, "--duration", duration
        ).strip()
        return token_kubeconfig(
            self.folder / f"{namespace}.{name}.kubeconfig",
            server=self.server,
            authority=self._boot.control_plane.authority.certificate,
            token=token,
        )

    def install_kuberay_crds(self) -> None:
        """Install KubeRay's CRDs into a cluster started without KubeRay."""
        self._boot.kuberay.install_crds()

    def start_kuberay(self) -> None:
        """Start KubeRay's operator; its CRDs must be there."""
        self._boot.kuberay.start()

    def stop_kuberay(self) -> None:
        """Stop KubeRay's operator; what it made stays."""
        self._boot.kuberay.stop()

    def start_kueue(self) -> None:
        """Install Kueue and start it, on a level whose API server is on this host's loopback address."""
        if self._boot.node is not None:
            raise NoSuchPart("Kueue's webhooks are not reached from a real node; use Level.FAKE_NODES")
        self._boot.kueue.start()

    def stop_kueue(self) -> None:
        """Stop Kueue; queues and RayClusters stay as they are."""
        self._boot.kueue.stop()

    def finish_pod(self, namespace: str, name: str, *, exit_code: int = 0, message: str = "") -> None:
        """Let a pod of a fake node end with that code and termination message."""
        pod = self.client.get("pod", name, namespace=namespace)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = finished_status(pod, exit_code=exit_code, message=message, now=now)
        self.client.patch_status("pod", name, status, namespace=namespace)

    def claim_folder(self, namespace: str, name: str) -> Path:
        """Return the folder of this host that is behind a bound claim."""
        claim = self.client.get("persistentvolumeclaim", name, namespace=namespace)
        volume = self.client.get("persistentvolume", claim["spec"]["volumeName"])
        return Path(volume["spec"]["hostPath"]["path"])

    def host_folder_claim(self, namespace: str, name: str, path: Path) -> None:
        """Make a read-only claim of a folder of this host, bound before this returns."""
        self.apply(*host_folder_objects(namespace, name, path.resolve()))
        self.kubectl(
            "wait",
            "--for=jsonpath={.status.phase}=Bound",
            f"pvc/{name}",
            "--namespace",
            namespace,
            "--timeout=30s",
        )

    def import_image(self, archive: Path) -> None:
        """Import a docker-archive; its images are then there for pods (`imagePullPolicy: Never`)."""
        self._real_node().import_image(archive)

    def set_fake_gpus(self, count: int) -> None:
        """Let the real node claim that many GPUs; 0 takes the resource away."""
        set_fake_gpus(self.client, count)

    @property
    def enter_node(self) -> tuple[str, ...]:
        """Words that put a command into the real node's network and mounts."""
        return self._real_node().daemons.enter

    def _real_node(self) -> RealNode:
        if self._boot.node is None:
            raise NoSuchPart(f"level {self.level} has no real node; start the cluster with Level.NODE")
        return self._boot.node
