"""Start daemons with a log file each, and wait until they answer."""

import http.client
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rrm_test_cluster.errors import ClusterError, DaemonFailed
from rrm_test_cluster.processes import ProcessId
from rrm_test_cluster.state import Ledger

_POLL_SECONDS = 0.05
_OWN_PORTS: Final = range(20000, 30000)
"""Below those that Linux hands out (from 32768 on) and NodePorts, above those of Ray's workers."""


@dataclass
class Daemons:
    """The running daemons of one cluster.

    Attributes:
        ledger: Where each process is noted at once.
        logs: Folder of the log files.
        enter: Words put before every command, such as those that enter a namespace.
    """

    ledger: Ledger
    logs: Path
    enter: tuple[str, ...] = ()
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a daemon; its output goes to ``<name>.log``.

        A session of its own keeps Ctrl-C away from it: the cluster is taken down in order instead.
        """
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.enter, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A small fixed environment: no proxy or kubeconfig of the caller reaches a daemon.
                env=_BASE_ENVIRONMENT | dict(environment or {}),
                cwd=self.logs,
            )
        self._running[name] = process
        if (identity := ProcessId.of(process.pid)) is None:
            raise DaemonFailed(name, f"ended at once with exit code {process.wait()}", self.log(name))
        self.ledger.add_daemon(name, identity)

    def log(self, name: str) -> Path:
        """The log file of a daemon."""
        return self.logs / f"{name}.log"

    def wait_ready(self, name: str, is_ready: Callable[[], bool], *, seconds: float = 120) -> None:
        """Wait until a daemon answers.

        Raises:
            DaemonFailed: It ended, or the time is over; carries the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check_alive(name)
            if time.monotonic() > deadline:
                raise DaemonFailed(name, f"not ready after {seconds:.0f} s", self.log(name))
            time.sleep(_POLL_SECONDS)

    def check_all_alive(self) -> None:
        """Raise `DaemonFailed` if any daemon has ended by itself."""
        for name in self._running:
            self.check_alive(name)

    def check_alive(self, name: str) -> None:
        """Raise `DaemonFailed` if a daemon has ended by itself."""
        if (code := self._running[name].poll()) is not None:
            raise DaemonFailed(name, f"ended with exit code {code}", self.log(name))


def standin(name: str) -> list[str]:
    """Return the command line of one of our own processes (`standins`)."""
    return [sys.executable, "-m", "rrm_test_cluster.standins", name]


_BASE_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
}


def free_ports(count: int) -> tuple[int, ...]:
    """Return TCP ports of the loopback address that nobody listens on, each another one.

    Not those that the kernel hands out: a Ray that starts beside us asks it for a hundred, and would get one
    of these before the daemon that it is meant for has started.
    """
    found: list[int] = []
    # Not the common generator: tests give it a seed, and two that run beside each other would agree.
    for port in random.SystemRandom().sample(_OWN_PORTS, len(_OWN_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            # As daemons do: connections of an earlier one that wait for their end are no matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return tuple(found)
    raise ClusterError(
        f"expected {count} free ports of {_OWN_PORTS.start} to {_OWN_PORTS.stop - 1}, found {len(found)}"
    )


@dataclass(frozen=True)
class Probe:
    """Asks a local HTTP(S) endpoint whether it is well."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = None

    def __call__(self) -> bool:
        """Whether it answers 200 now."""
        if self.tls is None:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        else:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=5, context=self.tls)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
