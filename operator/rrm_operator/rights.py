"""What the operator asks the API server for: one table of kinds and verbs.

`kubernetes_cluster` refuses to send a verb that is not in it, `handlers` watches what it says, and a contract
test compares it with the chart's `files/rules.yaml`; so the rights granted are exactly those used.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rrm_api import group
from rrm_operator.facts import Kind

RAY_GROUP: Final = "ray.io"
RAY_VERSION: Final = "v1"


class Verb(StrEnum):
    """Verbs of the API server."""

    GET = "get"
    LIST = "list"
    WATCH = "watch"
    CREATE = "create"
    PATCH = "patch"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Resource:
    """A kind as the API server's paths and rights name it."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    verbs: frozenset[Verb]
    only_ours: bool = True
    """Lists and watches ask only for objects that carry our label."""

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the path of a collection, an object or a subresource.

        >>> RESOURCES[Kind.JOB].path("demo", "judge-prepare")
        '/apis/batch/v1/namespaces/demo/jobs/judge-prepare'
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root, *(["namespaces", namespace] if namespace else []), self.plural]
        return "/".join([*parts, *(part for part in (name, subresource) if part)])


def _verbs(*verbs: Verb) -> frozenset[Verb]:
    return frozenset(verbs)


_SEEN = (Verb.LIST, Verb.WATCH)
_APPLIED = (*_SEEN, Verb.CREATE, Verb.PATCH)
_MADE_ONCE = (*_SEEN, Verb.CREATE, Verb.DELETE)

RESOURCES: Final[dict[str, Resource]] = {
    group.KIND: Resource(group.GROUP, group.VERSION, group.PLURAL, _verbs(*_SEEN), only_ours=False),
    # `get`: a claim that a spec names is not ours, so it is not among those that are watched.
    Kind.PERSISTENT_VOLUME_CLAIM: Resource("", "v1", "persistentvolumeclaims", _verbs(*_APPLIED, Verb.GET)),
    # `get` is never requested: it must be held to be granted to the trainer, for its progress ConfigMap.
    Kind.CONFIG_MAP: Resource("", "v1", "configmaps", _verbs(*_APPLIED, Verb.GET)),
    # Tokens are written blindly: no Secret is ever read.
    Kind.SECRET: Resource("", "v1", "secrets", _verbs(Verb.CREATE)),
    Kind.SERVICE_ACCOUNT: Resource("", "v1", "serviceaccounts", _verbs(*_APPLIED)),
    Kind.ROLE: Resource("rbac.authorization.k8s.io", "v1", "roles", _verbs(*_APPLIED)),
    Kind.ROLE_BINDING: Resource("rbac.authorization.k8s.io", "v1", "rolebindings", _verbs(*_APPLIED)),
    Kind.NETWORK_POLICY: Resource("networking.k8s.io", "v1", "networkpolicies", _verbs(*_APPLIED)),
    Kind.POD_DISRUPTION_BUDGET: Resource(
        "policy", "v1", "poddisruptionbudgets", _verbs(*_APPLIED, Verb.DELETE)
    ),
    Kind.JOB: Resource("batch", "v1", "jobs", _verbs(*_MADE_ONCE)),
    Kind.RAY_CLUSTER: Resource(RAY_GROUP, RAY_VERSION, "rayclusters", _verbs(*_MADE_ONCE)),
    Kind.POD: Resource("", "v1", "pods", _verbs(*_SEEN)),
    "Event": Resource("", "v1", "events", _verbs(Verb.CREATE)),
}
"""By kind."""

STATUS: Final = Resource(group.GROUP, group.VERSION, f"{group.PLURAL}/status", _verbs(Verb.PATCH))
FINALIZERS: Final = Resource(group.GROUP, group.VERSION, f"{group.PLURAL}/finalizers", _verbs(Verb.UPDATE))
"""Never requested, yet asked for by API servers that guard `blockOwnerDeletion` of the children we make."""
LEASE: Final = Resource("coordination.k8s.io", "v1", "leases", _verbs(Verb.GET, Verb.CREATE, Verb.UPDATE))
"""In the operator's own namespace only."""
SERVICE_PROXY: Final = Resource("", "v1", "services/proxy", _verbs(Verb.GET, Verb.CREATE))
"""Only with `rayReach: proxy`, which is for development."""

WATCHED: Final[tuple[str, ...]] = tuple(kind for kind, it in RESOURCES.items() if Verb.WATCH in it.verbs)
"""Kinds that feed the store."""
