"""An embedded Kubernetes: API server, KubeRay with fake nodes, or a real node.

``with Cluster.start(Level.API) as cluster: cluster.kubectl("get", "namespaces")`` is the whole interface;
see `Cluster` for what a level offers. Used by tests, benches and the demo, never by the product.
"""

from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.errors import ClusterError, CommandFailed, DaemonFailed, Missing
from rrm_test_cluster.level import Level

__all__ = ["Cluster", "ClusterError", "CommandFailed", "DaemonFailed", "Level", "Missing"]
