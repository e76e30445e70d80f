"""The embedded cluster as tests and the demo see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rrm_test_cluster.boot import Boot, BootOptions
from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster import standins
from rrm_test_cluster.janitor import start_janitor
from rrm_test_cluster.level import Level
from rrm_test_cluster.pki import token_kubeconfig
from rrm_test_cluster.teardown import tear_down


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
        janitor = start_janitor(boot.folder, standins.command("janitor"))
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
