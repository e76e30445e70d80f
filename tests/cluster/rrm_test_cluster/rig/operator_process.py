"""The operator as a real process of this host, with its service account's token and exactly its rights."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rrm_test_cluster.audit import Asked, read_audit
from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.demo.places import CHART, CHECKOUT
from rrm_test_cluster.errors import DaemonFailed

ACCOUNT: Final = "rrm"
LEASE: Final = "rrm-operator"
CRD: Final = CHECKOUT / "crds" / "training.rrm.dev_rewardmodeltrainings.yaml"
_POLL_SECONDS: Final = 0.05

Manifest = dict[str, Any]


def account_objects(namespace: str, rules: list[Manifest]) -> list[Manifest]:
    """Return namespace, service account, cluster-wide rights and the right to the lease of an operator."""
    name = f"{ACCOUNT}-{namespace}"
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    api = "rbac.authorization.k8s.io"
    lease = lease_rules()
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": namespace},
        },
        {"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
        *role_objects(namespace, lease, name=f"{ACCOUNT}-lease", account_namespace=namespace),
    ]


def role_objects(
    namespace: str, rules: list[Manifest], *, name: str, account_namespace: str
) -> list[Manifest]:
    """Return a Role in a namespace, and its binding to the account of an operator of another one."""
    metadata, api = {"name": name, "namespace": namespace}, "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": account_namespace}],
        },
    ]


def chart_rules() -> list[Manifest]:
    """Return the rights that the chart grants where trainings are served."""
    found: list[Manifest] = _rules()["namespaced"]
    return found


def lease_rules() -> list[Manifest]:
    """Return the rights that the chart grants to the lease, with its name as the chart adds it."""
    named: Manifest = {"resourceNames": [LEASE]}
    return [rule if "create" in rule["verbs"] else rule | named for rule in _rules()["own"]]


def _rules() -> Manifest:
    rules: Manifest = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    return rules


def image_allocator() -> dict[str, str]:
    """Return how the operator's image sets its allocator; where it is missing, the log begins with that."""
    words = (CHECKOUT / "Dockerfile").read_text()
    return dict(re.findall(r"\b(PYTHONMALLOC|LD_PRELOAD|MALLOC_CONF)=(\S+)", words))


@dataclass
class OperatorProcess:
    """One operator; it can be killed and started again as often as a test likes.

    Attributes:
        cluster: Where it works.
        folder: Its log and its keys.
        namespace: Where its service account lives.
        settings: Its settings, by name.
        rules: Its rights; the chart's, unless a test takes some away.
    """

    cluster: Cluster
    folder: Path
    namespace: str = "rrm-system"
    settings: dict[str, str] = field(default_factory=dict)
    rules: list[Manifest] = field(default_factory=chart_rules)
    _process: "subprocess.Popen[bytes] | None" = None
    _began_at: int = 0
    """Where the log of its last life begins."""
    _port: int | None = None
    """What that log says."""

    def install(self) -> None:
        """Make its account and rights, and its keys."""
        self.cluster.apply(*account_objects(self.namespace, self.rules))
        self._kubeconfig = self.cluster.service_account_kubeconfig(self.namespace, ACCOUNT)
        self._keys = self.folder / "keys"
        self._keys.mkdir(parents=True, exist_ok=True)
        (self._keys / "k1").write_text("a key that only tests have")

    def start(self, *, seconds: float = 60) -> None:
        """Start it and wait until its store is level with the cluster."""
        self.launch()
        self.wait_ready(seconds=seconds)

    def launch(self) -> None:
        """Start it and wait for nothing."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("RRM_")},
            **image_allocator(),
            "KUBECONFIG": str(self._kubeconfig),
            "RRM_KEYS_FOLDER": str(self._keys),
            "RRM_HTTP_ADDRESS": "127.0.0.1",
            # Whichever is free then: one that was free before may be taken by now.
            "RRM_HTTP_PORT": "0",
            "RRM_OPERATOR_NAMESPACE": self.namespace,
            "RRM_DEFAULT_IMAGE": "rrm-trainer:test",
            "RRM_LOG_FORMAT": "text",
            # Killed and started again and again, it would wait for its own lease to expire each time.
            "RRM_LEADER_ELECTION": "false",
            **{f"RRM_{name.upper()}": value for name, value in self.settings.items()},
        }
        with self.log.open("ab") as log:
            self._began_at, self._port = log.tell(), None
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rrm_operator"], env=environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it with SIGKILL, as a lost node would."""
        self._running.kill()
        self._running.wait()

    def stop(self, *, seconds: float = 30) -> int:
        """End it with SIGTERM; return its exit code."""
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(timeout=seconds)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    def wait(self, *, seconds: float) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self._running.wait(timeout=seconds)

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def log(self) -> Path:
        """Its log, of all its lives."""
        return self.folder / "operator.log"

    @property
    def port(self) -> int | None:
        """Where it answers, None until it has said so in its log."""
        if self._port is None:
            with self.log.open("rb") as log:
                log.seek(self._began_at)
                said = re.search(rb"\bhttp_port\W+(\d+)\D", log.read())
            self._port = int(said[1]) if said else None
        return self._port

    @property
    def user(self) -> str:
        """Its name as the API server knows it."""
        return f"system:serviceaccount:{self.namespace}:{ACCOUNT}"

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._running.pid

    def asked(self) -> list[Asked]:
        """Return all that it has asked the API server for."""
        return read_audit(self.cluster.audit_log, self.user)

    def memory(self) -> dict[str, float]:
        """Return its resident memory now and at its peak, in MB of 10^6 bytes."""
        fields = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{self._running.pid}/status").read_text().splitlines()
            if line.startswith(("VmRSS", "VmHWM"))
        )
        return {name: int(text.split()[0]) * 1024 / 1e6 for name, text in fields.items()}

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "start it first"
        return self._process

    def wait_ready(self, *, seconds: float = 60) -> None:
        """Wait until its store is level with the cluster.

        Raises:
            DaemonFailed: It ended, or the time is over; carries the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if (code := self._running.poll()) is not None:
                raise DaemonFailed("operator", f"ended with exit code {code}", self.log)
            if time.monotonic() > deadline:
                raise DaemonFailed("operator", f"not ready after {seconds:.0f} s", self.log)
            time.sleep(_POLL_SECONDS)

    def leads(self) -> bool:
        """Return whether it is the one that works; False also when it does not answer."""
        return "\nrrm_leader 1.0\n" in (self.get("/metrics") or "")

    def is_ready(self) -> bool:
        """Return whether it says that it is ready."""
        return self.get("/readyz") is not None

    def get(self, path: str) -> str | None:
        """Return what it answers to a request, None unless that is well."""
        if (port := self.port) is None:
            return None
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
