"""An embedded Kubernetes: API server, KubeRay with fake nodes, or a real node."""
