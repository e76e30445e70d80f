"""Plays `rrm.train.child` without torch and verl: the same arguments, files, marks, fence and exit codes.

A ConfigMap brings it into the pods of the real trainer's image, beside `orders`, which says what it shall do.

Its weights are a chain of hashes, one link a step, so that a resume which lost or repeated a step shows.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from rrm.data.written import require_rows_of
from rrm.errors import RrmError
from rrm.train.attempt import Attempt, attempt_of, write_json
from rrm.train.checkpoints import TRACKER, best_step, decide_start, list_checkpoints, prune
from rrm.train.errors import TrainerCrashed
from rrm.train.fence import require_current
from rrm.train.log import Masker
from rrm.train.progress import ProgressLog
from rrm.train.validations import add_validation, read_validations, rewards_of
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Finding, Phase
from rrm_test_cluster.rehearsal.orders import (
    VARIABLE,
    Act,
    Fault,
    Rehearsal,
    rehearsal_of,
    steering_file,
    suffer,
)

_PARTS: Final = ("model", "optim", "extra_state")


def state_after(step: int, state: str = "") -> str:
    """Return the weights that so many steps lead to, from the untrained ones or from `state`."""
    for _ in range(step):
        state = hashlib.sha256(state.encode()).hexdigest()
    return state


def saved_state(checkpoint: Path) -> str:
    """Return the weights in a checkpoint folder."""
    shard = next(checkpoint.glob("actor/model_world_size_*_rank_0.pt"))
    return str(json.loads(shard.read_text())["state"])


class Workers:
    """One actor on each worker, as verl has; asked at each step."""

    def __init__(self, attempt: Attempt) -> None:
        import ray

        intent = attempt.run.intent
        ray.init(address="auto", log_to_driver=False)
        actor = ray.remote(num_gpus=intent.gpus_per_node, scheduling_strategy="SPREAD")(_Rank)
        self._ray, self._ranks = ray, [actor.remote() for _ in range(intent.nodes)]
        self.step()

    def step(self) -> None:
        """Return once every worker has answered.

        Raises:
            TrainerCrashed: one is gone.
        """
        try:
            self._ray.get([rank.step.remote() for rank in self._ranks])
        except self._ray.exceptions.RayError as error:
            raise TrainerCrashed(f"Ray: {str(error).splitlines()[0]}") from error


class _Rank:
    def step(self) -> bool:
        return True


class Rehearsing:
    """One attempt, from its start to its end."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._total = attempt.run.prepared.total_steps
        self._start = decide_start(list_checkpoints(attempt.layout.checkpoints), self._total)
        resumed = self._start.resume_from
        self._resumed_from = resumed.step if resumed else None
        self._state = saved_state(resumed.path) if resumed else ""
        self._log = ProgressLog(attempt, from_step=self._start.step)
        self._findings: list[Finding] = []

    def run(self) -> tuple[Reason, str, ExitCode]:
        """Train, and return reason, message and exit code."""
        attempt, plan = self._attempt, self._plan()
        if self._start.is_complete:
            return Reason.SUCCEEDED, f"already complete at step {self._start.step}", ExitCode.DONE
        say(self._start.told())
        require_rows_of(attempt.layout.data, attempt.run.prepared.data.digest)
        self._log.beat(Phase.STARTING, self._start.step)
        workers = Workers(attempt) if plan.uses_ray else None
        time.sleep(plan.start_seconds)
        self._suffer(0)
        if self._start.resume_from is None and 0 not in read_validations(attempt.validations):
            self._validate(0)
        for step in range(self._start.step + 1, self._total + 1):
            self._train(step, workers)
            if self._left(step):
                write_json(attempt.outcome, {"stopped_at": step})
                message = f"stopped on request after step {step}"
                return Reason.CHECKPOINT_SAVED, message, ExitCode.STOPPED
            if step % attempt.run.prepared.evaluate_every_steps == 0 or step == self._total:
                self._validate(step)
            self._tell(step)
        write_json(attempt.outcome, {"stopped_at": None})
        return Reason.SUCCEEDED, f"trained to step {self._total}", ExitCode.DONE

    def _plan(self) -> Rehearsal:
        file = steering_file(self._attempt.layout)
        return rehearsal_of(file.read_text() if file.is_file() else os.environ.get(VARIABLE, "{}"))

    def _train(self, step: int, workers: Workers | None) -> None:
        self._log.beat(Phase.ROLLOUT, step - 1)
        time.sleep(self._plan().step_seconds)
        if workers is not None:
            workers.step()
        self._state = state_after(1, self._state)
        say(f"step {step}")
        self._suffer(step)
        if step % self._attempt.run.prepared.save_every_steps == 0 or step == self._total:
            self._save(step)

    def _left(self, step: int) -> bool:
        """Save if asked to leave, unless this step was just saved; returns whether it was asked."""
        if not self._attempt.stop_mark.exists() or step == self._total:
            return False
        if step not in self._whole():
            self._save(step)
        self._tell(step)
        return True

    def _tell(self, step: int) -> None:
        seconds, reward = self._plan().step_seconds, 0.5 + 0.4 * step / self._total
        with self._attempt.metrics.open("a") as lines:
            lines.write(json.dumps({"step": step, "data": {"critic/score/mean": reward}}) + "\n")
        self._log.step_done(step, reward=reward, parse_rate=1.0, seconds=seconds, findings=self._findings)

    def _validate(self, step: int) -> None:
        self._log.beat(Phase.VALIDATING, step)
        add_validation(self._attempt.validations, step, {"reward": 0.5 + 0.4 * step / self._total})
        self._log.validated(step)

    def _save(self, step: int, *, is_half: bool = False) -> None:
        require_current(self._attempt)
        self._log.beat(Phase.SAVING, step)
        plan, intent = self._plan(), self._attempt.run.intent
        folder = self._attempt.layout.checkpoints / f"global_step_{step}"
        (folder / "actor").mkdir(parents=True, exist_ok=True)
        shard = json.dumps({"state": self._state, "step": step}).ljust(plan.shard_bytes)
        world = intent.nodes * intent.gpus_per_node
        for part in _PARTS:
            for rank in range(world):
                (folder / "actor" / f"{part}_world_size_{world}_rank_{rank}.pt").write_text(shard)
            if is_half:
                return
        (folder / "data.pt").write_text(str(step))
        time.sleep(plan.save_seconds)
        # verl's way: not atomic, and last.
        (folder.parent / TRACKER).write_text(str(step))
        best = best_step(self._whole(), rewards_of(read_validations(self._attempt.validations)))
        best = best if intent.keep_best else None
        prune(folder.parent, keep_last=intent.keep_last, best=best, resumed_from=self._resumed_from)

    def _whole(self) -> list[int]:
        return [it.step for it in list_checkpoints(self._attempt.layout.checkpoints) if it.is_whole]

    def _suffer(self, step: int) -> None:
        for fault in self._plan().faults:
            if fault.step == step and fault.attempt in (0, self._attempt.number):
                self._meet(fault, step)

    def _meet(self, fault: Fault, step: int) -> None:
        say(f"step {step}: {fault.act} begins")
        match fault.act:
            case Act.HALF_CHECKPOINT:
                self._save(step, is_half=True)
                os.kill(os.getpid(), signal.SIGKILL)
            case Act.FINDING:
                reason = Reason(fault.text)
                self._findings.append(Finding(reason=reason, step=step, message=f"rehearsed at {step}"))
            case _:
                suffer(fault)


def say(text: str) -> None:
    """Say something into the job log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Rehearse one attempt; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--volume", "--claims", "--training", "--attempt"):
        parser.add_argument(name, required=True)
    parser.add_argument("--ray-address")
    parser.add_argument("--ray-temp")
    settings: dict[str, Any] = vars(parser.parse_args())
    attempt = attempt_of(settings)
    try:
        reason, message, code = Rehearsing(attempt).run()
    except RrmError as error:
        reason, message, code = error.reason, str(error), error.exit_code
    message = Masker(os.environ).mask(message)
    write_json(attempt.ending, {"reason": reason.value, "message": message, "exit_code": int(code)})
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
