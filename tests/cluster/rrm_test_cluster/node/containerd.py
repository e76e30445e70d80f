"""containerd of the node: its configuration, and importing images."""

from collections.abc import Sequence
from pathlib import Path

from rrm_test_cluster.node.shell import run

SOCKET = "/run/rrm-containerd/containerd.sock"
"""In the namespace's own /run: the same for every cluster, seen by none of the others."""


def containerd_config(folder: Path, *, pause_image: str) -> str:
    """Return the configuration (version 2) of a containerd that keeps everything in one folder."""
    return f"""
version = 2
root = "{folder}/containerd"
state = "/run/rrm-containerd"
oom_score = 0
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  disable_apparmor = true
  # Where root may not lower an oom score (no CAP_SYS_RESOURCE), no pod would start without this.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def ctr(enter: Sequence[str], *arguments: str, seconds: float = 1200) -> str:
    """Run containerd's client where kubelet's images are."""
    return run("ctr", "--address", SOCKET, "--namespace", "k8s.io", *arguments, enter=enter, seconds=seconds)


def import_image(enter: Sequence[str], archive: Path) -> None:
    """Import a docker-archive; pods then find its images without any registry."""
    ctr(enter, "images", "import", str(archive))
