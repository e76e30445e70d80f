"""How much of a Kubernetes is started: each level contains the ones before it."""

from enum import StrEnum


class Level(StrEnum):
    """What runs, from cheap to complete."""

    API = "api"
    """etcd and the API server: schemas, CEL, RBAC, admission. No root, about 5 s."""
    FAKE_NODES = "fake-nodes"
    """and the controllers, the scheduler, KubeRay and nodes whose pods run nothing. No root, about 10 s."""
    NODE = "node"
    """and, in place of the fake nodes, one real node that runs containers. Root, about 20 s."""
