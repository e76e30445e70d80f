"""From a manifest to what is known of a training, whatever version of the operator wrote it."""

import copy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rrm_api.conditions import ConditionStatus, ConditionType, Reason
from rrm_api.status import Condition, TrainingStatus
from rrm_api.v1alpha1 import ObjectMeta

Manifest = dict[str, Any]
Path = tuple[str | int, ...]

_EXPECTED = frozenset(
    {
        Reason.CLUSTER_RELEASED,
        Reason.EXPORT_DISABLED,
        Reason.PROVISIONING,
        Reason.QUOTA_PENDING,
        Reason.WAITING,
    }
)
"""Reasons of a detail that is not so and need not be."""
_DETAILS = frozenset(
    {
        ConditionType.DATA_PREPARED,
        ConditionType.CLUSTER_READY,
        ConditionType.EXPORTED,
        ConditionType.HEALTHY,
    }
)


@dataclass(frozen=True)
class TrainingSeen:
    """A training as the API server has it.

    Attributes:
        metadata: Its name, namespace, generation and annotations.
        is_suspended: Whether the spec asks to rest.
        status: What the operator saw last.
        unread: Fields of the status that this version cannot read.
    """

    metadata: ObjectMeta
    is_suspended: bool
    status: TrainingStatus
    unread: tuple[str, ...] = ()

    @property
    def retry(self) -> str | None:
        """What a person asked to try again with."""
        return self.metadata.retry

    @property
    def retry_waits(self) -> bool:
        """Whether the operator has not answered that yet."""
        return self.retry not in (None, self.status.last_handled_retry)


def read_training(manifest: Manifest) -> TrainingSeen:
    """Return what is known of a training; what cannot be read of its status is left out and named."""
    status, unread = _readable(manifest.get("status") or {})
    return TrainingSeen(
        metadata=ObjectMeta.model_validate(manifest["metadata"]),
        is_suspended=bool((manifest.get("spec") or {}).get("suspend")),
        status=status,
        unread=unread,
    )


def problems(status: TrainingStatus) -> tuple[Condition, ...]:
    """Return the conditions that are not fine, each message once: they say what to do."""
    found: dict[tuple[str, str], Condition] = {}
    for condition in filter(_is_bad, status.conditions):
        found.setdefault((condition.reason, condition.message), condition)
    return tuple(found.values())


def _is_bad(condition: Condition) -> bool:
    if condition.type == ConditionType.STALLED:
        return condition.status is ConditionStatus.TRUE
    is_false = condition.status is ConditionStatus.FALSE
    return condition.type in _DETAILS and is_false and condition.reason not in _EXPECTED


def _readable(status: Manifest) -> tuple[TrainingStatus, tuple[str, ...]]:
    """Return what of a status can be read, and the fields that cannot.

    A field that is unknown here belongs to a newer operator and is no loss; a value that is, such as a new
    stage, is one.
    """
    left, unread = copy.deepcopy(status), list[str]()
    while True:
        try:
            return TrainingStatus.model_validate(left), tuple(unread)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
        # Last first: what is taken out of a list must not move what is taken out next.
        for place in sorted({_place(it["type"], it["loc"]) for it in faults}, reverse=True):
            _remove(left, place)
        lost = sorted(it["loc"] for it in faults if it["type"] not in ("extra_forbidden", "missing"))
        unread += [".".join(str(part) for part in ("status", *loc)) for loc in lost]


def _place(kind: str, loc: Path) -> Path:
    """Return what has to go: where something is missing, all that it is missing from."""
    return loc[:-1] if kind == "missing" else loc


def _remove(document: Any, place: Path) -> None:
    *way, last = place
    for part in way:
        document = document[part]
    del document[last]
