"""The life of a training as people see it: one line whenever something moves.

`glimpse` is pure; `watch_training` asks the API server until the training is decided.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rrm_api.group import GROUP, PLURAL
from rrm_test_cluster.client import Client, Manifest
from rrm_test_cluster.demo.errors import TrainingEnded

RESOURCE = f"{PLURAL}.{GROUP}"
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Glimpse:
    """What is worth a line about a training at one moment.

    Attributes:
        stage: Where it is.
        step: Optimizer steps done and planned, `6/24`; empty before the first report.
        numbers: Reward, validation, parse rate, speed, rest: whatever is known.
        note: Message of the condition that tells most.
        succeeded: Status of the condition `Succeeded`.
        stalled: Whether a person must act.
    """

    stage: str
    step: str
    numbers: tuple[tuple[str, str], ...]
    note: str
    succeeded: str
    stalled: bool

    @property
    def is_decided(self) -> bool:
        """Whether nothing will change any more by itself."""
        return self.succeeded in ("True", "False") or self.stalled

    def line(self) -> str:
        """Return one line for people."""
        numbers = "  ".join(f"{name} {value}" for name, value in self.numbers)
        # While steps are counted the numbers say more than any sentence.
        return f"{self.stage:<12} {self.step:>7}  {numbers if self.step and numbers else self.note}".rstrip()


def glimpse(training: Manifest) -> Glimpse:
    """Return what is to be said about a training.

    >>> glimpse({"metadata": {}}).line()
    'Pending'
    """
    status: dict[str, Any] = training.get("status", {})
    conditions = {entry["type"]: entry for entry in status.get("conditions", [])}
    progress = status.get("progress", {})
    told = (conditions.get(name) for name in ("Stalled", "Reconciling", "Ready"))
    teller: Manifest = next((condition for condition in told if condition and _is_true(condition)), {})
    return Glimpse(
        stage=status.get("stage", "Pending"),
        step=f"{progress['step']}/{progress['totalSteps']}" if progress.get("totalSteps") else "",
        numbers=_numbers(progress),
        note=teller.get("message", ""),
        succeeded=conditions.get("Succeeded", {}).get("status", "Unknown"),
        stalled=_is_true(conditions.get("Stalled")),
    )


def _is_true(condition: Manifest | None) -> bool:
    return condition is not None and condition["status"] == "True"


def _numbers(progress: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    validation = {metric["name"]: metric["value"] for metric in progress.get("validation", [])}
    known = {
        "reward": progress.get("reward"),
        "validation": validation.get("reward"),
        "readable": progress.get("parseRate"),
        "s/step": progress.get("secondsPerStep"),
        "rest": progress.get("etaSeconds"),
    }
    return tuple((name, _short(value)) for name, value in known.items() if value is not None)


def _short(value: object) -> str:
    number = float(str(value))
    return f"{number:.0f}s" if isinstance(value, int) else f"{number:.3g}"


@dataclass(frozen=True)
class Eye:
    """Looks at one training.

    Attributes:
        client: Its cluster.
        namespace: Its namespace.
        name: Its name.
    """

    client: Client
    namespace: str
    name: str

    def look(self) -> Manifest:
        """Return the training as it is now."""
        return self.client.get(RESOURCE, self.name, namespace=self.namespace)

    def wait(
        self,
        is_enough: Callable[[Glimpse], bool],
        *,
        show: Callable[[Glimpse], None],
        seconds: float,
    ) -> Manifest:
        """Look until something holds, showing each glimpse, and return the training.

        Raises:
            TrainingEnded: It did not hold in time; says everything that is known.
        """
        end = time.monotonic() + seconds
        while True:
            training = self.look()
            seen = glimpse(training)
            show(seen)
            if is_enough(seen):
                return training
            if time.monotonic() > end:
                raise TrainingEnded(f"not reached within {seconds:.0f} s\n{self.evidence()}")
            time.sleep(LOOK_SECONDS)

    def evidence(self) -> str:
        """Return what a person wants to read when something went wrong."""
        where = ("--namespace", self.namespace)
        status = json.dumps(self.look().get("status", {}), indent=1)
        pods = self.client.kubectl("get", "pods", *where, "-o", "wide")
        events = self.client.kubectl("get", "events", *where, "--sort-by=.lastTimestamp")
        return f"status: {status}\n{pods}\n{events[-6000:]}"
