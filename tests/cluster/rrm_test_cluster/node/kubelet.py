"""kubelet of the node: its configuration and command line."""

from pathlib import Path
from typing import Any

from rrm_test_cluster.node.containerd import SOCKET
from rrm_test_cluster.tools import Tools

NODE_NAME = "node"


def kubelet_config(folder: Path, *, node_address: str, authority: Path, cgroup: str) -> dict[str, Any]:
    """Return the configuration of a kubelet that keeps to one folder and one control group."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDNS": [node_address],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        # Nothing can be pulled again here: an image that is collected is lost.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "resolvConf": str(folder / "resolv.empty"),
        "volumePluginDir": str(folder / "volume-plugins"),
        "podLogsDir": str(folder / "pod-logs"),
        "maxPods": 100,
        # Short: a finished Job's pod and a mounted ConfigMap's change are seen soon.
        "syncFrequency": "5s",
        "serializeImagePulls": False,
    }


def kubelet_command(folder: Path, tools: Tools, *, node_address: str, kubeconfig: Path) -> list[str]:
    """Return the command line of kubelet."""
    return [
        str(tools.path("kubelet")),
        f"--config={folder / 'kubelet.yaml'}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={node_address}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-pki'}",
    ]
