"""A rule of the API said twice, side by side: as CEL for the API server and as Python for everybody else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One cross-field rule.

    Attributes:
        cel: Expression that the API server evaluates; true means accepted.
        message: What a person reads when it is refused; says what to do.
        holds: The same rule over the pydantic model, or None for rules about a change (`oldSelf`),
            which only the API server can judge.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None

    def schema(self) -> dict[str, str]:
        """Return the rule as an entry of `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}


def unchanged_once_saved(*path: str) -> Rule:
    """Return the root rule that freezes one spec field as soon as a checkpoint exists.

    The rule sits at the root because only there `oldSelf.status` can be seen; status writes do not touch the
    spec, so they always pass it.
    """
    field = ".".join(("spec", *path))
    old, new = _guarded("oldSelf", path), _guarded("self", path)
    saved = (
        "has(oldSelf.status) && has(oldSelf.status.checkpoints) && has(oldSelf.status.checkpoints.latestStep)"
    )
    return Rule(
        cel=f"!({saved}) || {old} == {new}",
        message=f"{field} cannot change once a checkpoint exists; create a new training with another name",
    )


def _guarded(side: str, path: tuple[str, ...]) -> str:
    """Return CEL for `[value]` or `[]`, so that absent equals absent and nothing is dereferenced blindly."""
    steps = [".".join((side, "spec", *path[: i + 1])) for i in range(len(path))]
    present = " && ".join(f"has({step})" for step in steps)
    return f"({present} ? [{steps[-1]}] : [])"
