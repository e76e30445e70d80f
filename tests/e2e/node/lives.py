"""Trainings that rehearse on a real node, and what they left on their volumes: for this folder's tests."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rrm_api.layout import Layout
from rrm_test_cluster.rehearsal import Rehearsal, rehearsal_training
from rrm_test_cluster.rehearsal.orders import steering_file

SAVE_EVERY: Final = 10
STEPS: Final = 1500
"""More than all faults together take, at `SLOW`; at the end the rest is done at once."""
SLOW: Final = Rehearsal(step_seconds=0.3, uses_ray=True)
QUICK: Final = {"restartBackoffSeconds": 1, "stallDeadlineSeconds": 20}
RESUMED_WITHIN: Final = 180.0
"""Seconds from a fault to the next step, most of it a RayCluster that starts on two busy cores."""


@dataclass(frozen=True)
class Life:
    """One training, and what it left on its volume.

    Attributes:
        trainings: Its namespace.
        name: Its name.
        claim: The claim of its volume.
    """

    trainings: Any
    name: str
    claim: str = ""

    @property
    def layout(self) -> Layout:
        claim = self.claim or f"{self.name}-checkpoints"
        folder: Path = self.trainings.cluster.claim_folder(self.trainings.namespace, claim)
        return Layout(folder, self.name)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.trainings.status(self.name)
        return found

    def attempts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.status().get("attempts", [])
        return found

    def step(self) -> int:
        return int(self.status().get("progress", {}).get("step", 0))

    def steer(self, rehearsal: Rehearsal) -> None:
        """Let it go on like this from its next step."""
        file = steering_file(self.layout)
        partial = file.with_suffix(".partial")
        partial.write_text(rehearsal.text())
        partial.chmod(0o644)
        partial.rename(file)

    def steps(self, attempt: int) -> list[int]:
        """Return the steps that an attempt has done, as it wrote them down itself."""
        file = self.layout.attempt(attempt) / "metrics.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line)["step"] for line in lines if line.endswith("}")]

    def saved(self) -> int:
        """Return the step of the newest checkpoint whose last file is there."""
        tracker = self.layout.checkpoints / "latest_checkpointed_iteration.txt"
        return int(tracker.read_text()) if tracker.exists() else 0

    def pods(self, role: str = "") -> list[str]:
        mine = f"training.rrm.dev/training={self.name}"
        which = f",training.rrm.dev/role={role}" if role else ",ray.io/is-ray-node=yes"
        found: list[str] = self.trainings.names("pods", mine + which)
        return found

    def training(self, attempt: int) -> int:
        """Wait until an attempt trains and has saved something of its own; return its first step."""

        def trains() -> bool:
            steps = self.steps(attempt)
            return self.status().get("stage") == "Training" and bool(steps) and self.saved() >= steps[0]

        self.wait(f"{self.name}: attempt {attempt} trains", trains)
        return self.steps(attempt)[0]

    def wait(self, what: str, holds: Callable[[], Any], *, seconds: float = RESUMED_WITHIN) -> Any:
        return self.trainings.wait_for(what, holds, seconds=seconds)

    def newest(self) -> int:
        """Return the number of the newest attempt, once it trains and has saved something of its own."""
        number: int = self.wait(f"{self.name}: an attempt", self.attempts)[-1]["number"]
        self.training(number)
        return number

    @contextmanager
    def outlives(self, *reasons: str, lost_at_most: int) -> Iterator[int]:
        """Check that what the block does ends the attempt that trains, for one of these reasons.

        And that the next attempt goes on by itself, with at most so many steps to be done again. Yields the
        number of the attempt.
        """
        ended = self.newest()
        yield ended
        began = time.monotonic()
        first = self.training(ended + 1)
        # Told by the trainer with its first step; the status says it a little later.
        self.wait("where it went on from", lambda: self.attempts()[-1].get("fromStep") == first - 1)
        before, after = (it for it in self.attempts() if it["number"] in (ended, ended + 1))
        last = self.steps(ended)[-1]
        print(
            f"{self.name}: attempt {ended} {before['reason']} at step {last} "
            f"(told {before.get('toStep')}, saved {before.get('savedStep')}); attempt {ended + 1} from "
            f"{first - 1} on {after['cluster']}; {last - first + 1} steps lost; "
            f"{time.monotonic() - began:.0f} s"
        )
        assert before["reason"] in reasons, before
        assert before["endTime"]
        done = self.steps(ended + 1)  # It goes on while we look.
        assert done == list(range(first, first + len(done)))
        assert 0 <= last - first + 1 <= lost_at_most


def begin(trainings: Any, name: str, *, rehearsal: Rehearsal = SLOW, **changes: Any) -> Life:
    manifest = rehearsal_training(name, rehearsal=rehearsal, steps=STEPS, save_every=SAVE_EVERY, **changes)
    trainings.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    return Life(trainings, name)


def evict(life: Life, pod: str) -> None:
    """Ask as `kubectl drain` does."""
    namespace = life.trainings.namespace
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    life.trainings.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def delete(life: Life, pod: str, *how: str) -> None:
    life.trainings.kubectl("delete", "pod", pod, "--wait=false", *how)
