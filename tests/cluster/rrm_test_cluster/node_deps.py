"""The Debian packages of a real node: which are missing, and how they get here."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from rrm_test_cluster.errors import CommandFailed, Missing
from rrm_test_cluster.level import Level

_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "iptables": "iptables",
    "nft": "nftables",
    "debootstrap": "debootstrap",
    "gcc": "gcc",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "ps": "procps",
}
_FILES = {
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    # The pause program is linked statically.
    "/usr/include/stdlib.h": "libc6-dev",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}
# Of the trainer's environment, which runs here with Debian's own Python as in its image, and of the operator.
_LIBRARIES = {
    "/usr/bin/python3.11": "python3.11",
    "/usr/lib/x86_64-linux-gnu/libnuma.so.1": "libnuma1",
    "/usr/lib/x86_64-linux-gnu/libgomp.so.1": "libgomp1",
    "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2": "libjemalloc2",
}
_BROWSER = "chromium"
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages() -> tuple[str, ...]:
    """Return the Debian packages whose files are not here, each once, sorted."""
    programs = {package for name, package in _PROGRAMS.items() if shutil.which(name, path=_SEARCH) is None}
    files = {package for path, package in (_FILES | _LIBRARIES).items() if not Path(path).exists()}
    return tuple(sorted(programs | files))


def missing_for_node() -> tuple[str, ...]:
    """Return in words what keeps a real node from running here."""
    root = () if os.geteuid() == 0 else ("root (namespaces, mounts and containers need it)",)
    return (*root, *(f"Debian package {name}" for name in missing_packages()))


def install_node_deps(say: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Install what is missing, and return it.

    Raises:
        Missing: Not root, or not a Debian.
        CommandFailed: The package manager failed.
    """
    packages = missing_packages()
    if not packages:
        return ()
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(
            Level.NODE,
            (*missing_for_node(), *(() if shutil.which("apt-get") else ("apt-get",))),
            f"install {' '.join(packages)} as root",
            (Level.API, Level.FAKE_NODES),
        )
    _install(packages, say)
    return packages


def install_browser(say: Callable[[str], None] = lambda _: None) -> None:
    """Install the browser that looks at reports, where it is missing and this is root on a Debian.

    Elsewhere the tests that need it skip and say so.

    Raises:
        CommandFailed: The package manager failed.
    """
    if shutil.which(_BROWSER) is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        _install((_BROWSER,), say)


def _install(packages: Sequence[str], say: Callable[[str], None]) -> None:
    say(f"installing {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CommandFailed(command, done.returncode, done.stdout, done.stderr)
