"""What people and other controllers edit in the children of a training, and what is left of it."""

from collections.abc import Callable
from typing import Any

from rrm_operator.facts import Kind

STRANGER = {"kind": "ServiceAccount", "name": "stranger", "namespace": "demo"}
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def opened(policy: Any) -> None:
    policy["spec"]["ingress"].append({})


def counts_from_the_other_side(budget: Any) -> None:
    budget["spec"].pop("minAvailable", None)
    budget["spec"]["maxUnavailable"] = 1


EDITS: dict[str, tuple[Kind, Callable[[Any], object]]] = {
    "a policy is opened to everybody": (Kind.NETWORK_POLICY, opened),
    "a policy selects no pod any more": (
        Kind.NETWORK_POLICY,
        lambda it: it["spec"]["podSelector"]["matchLabels"].update(a="b"),
    ),
    "a policy is about egress alone": (
        Kind.NETWORK_POLICY,
        lambda it: it["spec"].update(policyTypes=["Egress"]),
    ),
    "a role gives everything": (Kind.ROLE, lambda it: it.update(rules=[ALL])),
    "a role gives nothing": (Kind.ROLE, lambda it: it.pop("rules", None)),
    "a binding gives it to somebody else too": (
        Kind.ROLE_BINDING,
        lambda it: it["subjects"].append(STRANGER),
    ),
    "an account hands its token to every pod": (
        Kind.SERVICE_ACCOUNT,
        lambda it: it.update(automountServiceAccountToken=True),
    ),
    "a budget lets pods go": (Kind.POD_DISRUPTION_BUDGET, lambda it: it["spec"].update(minAvailable=0)),
    "a budget counts from the other side": (Kind.POD_DISRUPTION_BUDGET, counts_from_the_other_side),
    "a budget counts other pods": (
        Kind.POD_DISRUPTION_BUDGET,
        lambda it: it["spec"]["selector"]["matchLabels"].update(a="b"),
    ),
}


def said(operator: Any, kind: Kind) -> Any:
    """Return what the only object of a kind says, without its metadata."""
    (name,) = operator.world.named(kind)
    found = operator.world.objects[kind, name]
    return {field: value for field, value in found.items() if field != "metadata"}


def writes(operator: Any) -> list[str]:
    """Return what was written since the last call."""
    written = list(operator.world.log)
    operator.world.log.clear()
    return written
