"""The real node: namespaces, control groups, containerd, kubelet, network."""
