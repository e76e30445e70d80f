"""What of a child is ours to say, as a digest: what is seen is compared with what is planned.

The digest we annotate tells what was wanted when we wrote it, and stays when somebody edits the rest by hand.
So that no body is kept, the fields that we plan are digested as soon as the event of an object arrives. What
others add beside them (egress, pull secrets) is theirs: server-side apply would not remove it either, and to
compare it would be to apply for ever. For the same reason all that is planned in these fields is written out
as the API server returns it, its defaults included.

Not compared: ConfigMaps, in one of which the trainer answers, and what is created once.
"""

from typing import Final

from rrm_api.run import digest_of
from rrm_operator.facts import Kind, Manifest
from rrm_operator.manifests import map_at

_OURS: Final[dict[Kind, tuple[tuple[str, ...], ...]]] = {
    Kind.SERVICE_ACCOUNT: (("automountServiceAccountToken",),),
    Kind.ROLE: (("rules",),),
    Kind.ROLE_BINDING: (("roleRef",), ("subjects",)),
    Kind.NETWORK_POLICY: (("spec", "podSelector"), ("spec", "policyTypes"), ("spec", "ingress")),
    # `maxUnavailable` cannot be there beside `minAvailable`.
    Kind.POD_DISRUPTION_BUDGET: (
        ("spec", "minAvailable"),
        ("spec", "selector"),
        ("spec", "unhealthyPodEvictionPolicy"),
    ),
}
"""Paths of the fields that we plan, each as a whole: server-side apply replaces their lists and selectors."""


def content_digest(kind: Kind, manifest: Manifest) -> str:
    """Return the digest of the fields of an object that are ours; empty for a kind that is not compared."""
    paths = _OURS.get(kind)
    if paths is None:
        return ""
    return digest_of({".".join(path): map_at(manifest, *path[:-1]).get(path[-1]) for path in paths})
