"""kubectl and helm against one cluster, and the few verbs tests repeat."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.tools import Tools

Manifest = dict[str, Any]

_NO_CONDITIONS_YET: Final = ".status.conditions accessor error: <nil>"
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Client:
    """Runs the pinned kubectl and helm as the user of a kubeconfig."""

    tools: Tools
    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str = "", seconds: float = 300) -> str:
        """Run kubectl and return what it printed.

        Raises:
            CommandFailed: It refused; the message of the API server is in `stderr`.
        """
        return self._run("kubectl", arguments, stdin, seconds)

    def helm(self, *arguments: str, stdin: str = "", seconds: float = 600) -> str:
        """Run helm and return what it printed; raises `CommandFailed` like `kubectl`."""
        return self._run("helm", arguments, stdin, seconds)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply objects on the server's side, as a test's field manager."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        # By force: a test that applies an object means it, whoever wrote a field before.
        options = ("--server-side", "--force-conflicts", "--field-manager=rrm-test")
        self.kubectl("apply", *options, "-f", "-", stdin=json.dumps(items))

    def install_crds(self, *files: Path, seconds: float = 60) -> None:
        """Install definitions of kinds and wait until the API server serves them."""
        words = [word for file in files for word in ("-f", str(file))]
        # On the server's side: KubeRay's are too big for the annotation of a plain apply.
        self.kubectl("apply", "--server-side", "--force-conflicts", *words)
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.kubectl("wait", "--for=condition=established", f"--timeout={seconds:.0f}s", *words)
                return
            except CommandFailed as failed:
                # A new definition has no conditions at all for a moment, and kubectl does not wait for them.
                if _NO_CONDITIONS_YET not in failed.stderr or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def get(self, kind: str, name: str, *, namespace: str = "default") -> Manifest:
        """Return one object; raises `CommandFailed` if it is not there."""
        found: Manifest = json.loads(self.kubectl("get", kind, name, "--namespace", namespace, "-o", "json"))
        return found

    def list(self, kind: str, *, namespace: str | None = None, selector: str = "") -> list[Manifest]:
        """Return the objects of a kind, of all namespaces unless one is named."""
        where = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        raw = self.kubectl("get", kind, *where, "--selector", selector, "-o", "json")
        items: list[Manifest] = json.loads(raw)["items"]
        return items

    def patch_status(self, kind: str, name: str, patch: Mapping[str, Any], *, namespace: str) -> None:
        """Merge into an object's status, as its controller would."""
        where = ("--namespace", namespace, "--subresource=status", "--type=merge")
        self.kubectl("patch", kind, name, *where, "--patch", json.dumps(patch))

    def _run(self, tool: str, arguments: Sequence[str], stdin: str, seconds: float) -> str:
        command = [str(self.tools.path(tool)), *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(command, done.returncode, done.stdout, done.stderr)
        return done.stdout
