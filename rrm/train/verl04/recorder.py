"""What an attempt on verl 0.4.0 leaves on the volume: the files that the newer engine leaves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.judge.metrics import judge_metrics
from rrm.train.answers import answer_rows, scored, write_answers
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import best_step, list_checkpoints, prune
from rrm.train.errors import Unhealthy
from rrm.train.health import RunHealth
from rrm.train.progress import ProgressLog
from rrm.train.step_metrics import step_metrics
from rrm.train.validations import add_validation, read_validations, rewards_of
from rrm_api.run import Phase

MOST_REWARD_ERRORS: Final = 0.01
"""Share of answers that the user's reward may fail to score."""


class Recorder:
    """Writes metrics, progress, rows, validations and answers of one attempt, and prunes its checkpoints."""

    def __init__(self, attempt: Attempt, *, resumed_from: int | None) -> None:
        self._attempt = attempt
        self._resumed_from = resumed_from
        self._log = ProgressLog(attempt, from_step=resumed_from or 0)
        self._health = RunHealth(attempt, from_step=resumed_from or 0)
        self._validation: dict[str, float] = {}
        attempt.metrics.write_text("")

    def beat(self, phase: Phase, step: int) -> None:
        """Note that the attempt lives."""
        self._log.beat(phase, step)

    def validation(
        self, step: int, texts: Sequence[str], rewards: Sequence[float], outcomes: Mapping[str, Sequence[Any]]
    ) -> None:
        """Write the answers of a validation and what they say about the judge.

        Raises:
            PluginFailed: the user's reward could not score them.
        """
        rows = answer_rows(texts, rewards, outcomes)
        write_answers(self._attempt.answers(step), rows)
        require_scored([float(row["reward_error"]) for row in rows], f"validation at {step}")
        self._validation = judge_metrics(scored(rows), self._attempt.scale)
        add_validation(self._attempt.validations, step, self._validation)

    def validated(self, step: int) -> dict[str, float]:
        """Append progress; returns the validation's numbers under the names of the log."""
        self._log.validated(step)
        return {f"rrm/validation/{name}": value for name, value in self._validation.items()}

    def step(
        self,
        step: int,
        metrics: dict[str, Any],
        *,
        keys: Sequence[str],
        infos: Sequence[Mapping[str, Any]],
        scores: Sequence[float],
    ) -> None:
        """Add our numbers to a step's metrics, note its rows, prune, append progress."""
        found = step_metrics(keys, infos, scores, expected=len(keys))
        metrics.update({f"rrm/{name}": value for name, value in found.means.items()})
        self._health.observe(step, metrics)
        metrics["rrm/hook_seconds"] = found.hook_seconds
        metrics["rrm/hook_seconds_share"] = found.hook_seconds / metrics["timing_s/step"]
        rows = sorted({str(info["row_id"]) for info in infos})
        with self._attempt.rows.open("a") as lines:
            lines.write(json.dumps({"step": step, "rows": rows}) + "\n")
        self._prune()
        self._log.step_done(
            step,
            reward=float(metrics["critic/score/mean"]),
            parse_rate=found.means.get("parse_ok"),
            seconds=float(metrics["timing_s/step"]),
            findings=self._health.findings,
        )

    def logged(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append a line of metrics in the shape of the newer engine's file logger.

        Raises:
            PluginFailed: the user's reward could not score too many answers of the step.
        """
        numbers = {name: float(value) for name, value in metrics.items()}
        with self._attempt.metrics.open("a") as lines:
            lines.write(json.dumps({"step": step, "data": numbers}) + "\n")
        require_scored([numbers.get("rrm/reward_error", 0.0)], f"step {step}")

    def unhealthy(self) -> Unhealthy | None:
        """Return why the run must end now, as `policy.onUnhealthy: Stop` asks; None if it need not."""
        if not self._health.ends_run or not self._health.findings:
            return None
        finding = self._health.findings[0]
        return Unhealthy(finding.message, finding.reason)

    def _prune(self) -> None:
        attempt, intent = self._attempt, self._attempt.run.intent
        folder = attempt.layout.checkpoints
        whole = [checkpoint.step for checkpoint in list_checkpoints(folder) if checkpoint.is_whole]
        best = best_step(whole, rewards_of(read_validations(attempt.validations)))
        prune(
            folder,
            keep_last=intent.keep_last,
            best=best if intent.keep_best else None,
            resumed_from=self._resumed_from,
        )


def require_scored(errors: Sequence[float], when: str) -> None:
    """Return if the user's reward scored nearly all answers.

    Raises:
        PluginFailed: it raised, or returned no number, for too many of them.
    """
    share = sum(errors) / max(len(errors), 1)
    if share > MOST_REWARD_ERRORS:
        raise PluginFailed(
            f"spec.reward.entryPoint: {when}: the function raised or returned no number for {share:.1%} of "
            f"the answers, at most {MOST_REWARD_ERRORS:.0%} may; the job log has the traces, `rrm check` "
            "runs the function on sample rows"
        )


def keys_of(uids: Any, count: int) -> list[str]:
    """Return `{prompt}_{session}_{answer}` of each answer; without ids each has a prompt of its own."""
    seen: dict[str, int] = {}
    keys = []
    for uid in range(count) if uids is None else uids:
        session = seen.get(str(uid), 0)
        seen[str(uid)] = session + 1
        keys.append(f"{uid}_{session}_0")
    return keys
