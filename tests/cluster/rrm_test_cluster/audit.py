"""What service accounts asked the API server for: its audit policy, and its log as values.

Only namespaces of products are noted: the accounts of `kube-system` and people are left out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

AUDIT_LOG: Final = "audit.jsonl"
_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # One line for each request, at its end; a watch that runs has none yet.
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Asked:
    """One request of a service account.

    Attributes:
        user: `system:serviceaccount:<namespace>:<name>`.
        verb: As rights name it: `create`, `patch`, `list`, `watch`, ...
        resource: `plural`, or `plural/subresource`; a path for what is no resource.
        name: Of the object, where the path names one.
        code: HTTP status of the answer.
    """

    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int


def write_audit_policy(folder: Path) -> Path:
    """Write the policy; returns its file."""
    file = folder / "audit-policy.json"
    file.write_text(json.dumps(_POLICY))
    return file


def read_audit(log: Path, user: str) -> list[Asked]:
    """Return what a service account has asked for so far."""
    return [asked for asked in _entries(log) if asked.user == user]


def _entries(log: Path) -> Iterator[Asked]:
    for line in log.read_text().splitlines():
        # The API server may be in the middle of the last line.
        if line.endswith("}"):
            yield _asked(json.loads(line))


def _asked(entry: dict[str, Any]) -> Asked:
    target = entry.get("objectRef") or {}
    parts = (target.get("resource"), target.get("subresource"))
    return Asked(
        user=entry["user"]["username"],
        verb=entry["verb"],
        resource="/".join(part for part in parts if part) or entry["requestURI"],
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=(entry.get("responseStatus") or {}).get("code", 0),
    )
