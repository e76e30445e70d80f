"""What an attempt leaves on the volume while it trains, whichever engine does: numbers, progress, answers.

The engine's trainer says what it did; this writes it down, prunes checkpoints, and knows when a run must end.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rrm.errors import PluginFailed
from rrm.judge.metrics import judge_metrics
from rrm.train.answers import answer_rows, scored, write_answers
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import best_step, list_checkpoints, prune
from rrm.train.errors import Unhealthy
from rrm.train.health import RunHealth
from rrm.train.progress import ProgressLog
from rrm.train.step_metrics import StepMetrics, step_metrics
from rrm.train.validations import add_validation, read_validations, rewards_of
from rrm_api.run import Phase

MOST_MISSING: Final = 0.01
"""Share of a step's answers that may be lost; verl alone goes on with whatever is left."""
MOST_REWARD_ERRORS: Final = 0.01
"""Share of answers that a user's reward may fail to score; verl alone trains on the rest and ends well."""
REWARD, SECONDS = "critic/score/mean", "timing_s/step"


@dataclass(frozen=True)
class StepAnswers:
    """The answers that a step was trained on.

    Attributes:
        keys: `{prompt}_{session}_{answer}` of each.
        infos: What is known of each, by name.
        scores: What the session of each earned.
        expected: Sessions that were ordered.
    """

    keys: Sequence[str]
    infos: Sequence[Mapping[str, Any]]
    scores: Sequence[float]
    expected: int


class Recorder:
    """Writes progress, rows, validations and answers of one attempt, and prunes its checkpoints."""

    def __init__(self, attempt: Attempt, *, resumed_from: int | None) -> None:
        self._attempt = attempt
        self._resumed_from = resumed_from
        self._log = ProgressLog(attempt, from_step=resumed_from or 0)
        self._health = RunHealth(attempt, from_step=resumed_from or 0)
        self._validation: dict[str, float] = {}

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
        return self.validation_metrics

    @property
    def validation_metrics(self) -> dict[str, float]:
        """The last validation's numbers under the names of the log."""
        return {f"rrm/validation/{name}": value for name, value in self._validation.items()}

    def step(self, step: int, metrics: dict[str, Any], answers: StepAnswers) -> StepMetrics:
        """Add our numbers to a step's metrics, note its rows, prune, append progress; returns our numbers."""
        found = step_metrics(answers.keys, answers.infos, answers.scores, expected=answers.expected)
        metrics.update({f"rrm/{name}": value for name, value in found.means.items()})
        self._health.observe(step, metrics)
        rows = sorted({str(info["row_id"]) for info in answers.infos})
        with self._attempt.rows.open("a") as lines:
            lines.write(json.dumps({"step": step, "rows": rows}) + "\n")
        self._prune()
        self._log.step_done(
            step,
            reward=float(metrics[REWARD]),
            parse_rate=found.means.get("parse_ok"),
            seconds=float(metrics[SECONDS]),
            findings=self._health.findings,
        )
        return found

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


def add_own_time(metrics: dict[str, Any], found: StepMetrics, *, outside: float = 0.0) -> None:
    """Add how long our own code took, and its share of the step; `outside` = seconds beside the answers'."""
    metrics["rrm/hook_seconds"] = outside + found.hook_seconds
    metrics["rrm/hook_seconds_share"] = metrics["rrm/hook_seconds"] / metrics[SECONDS]


def require_answers(found: StepMetrics, step: int) -> None:
    """Return if nearly all answers that were ordered came.

    Raises:
        Unhealthy: too many are missing.
    """
    if found.missing > MOST_MISSING * found.expected:
        raise Unhealthy(
            f"step {step}: {found.missing} of {found.expected} answers are missing, because generating or "
            "scoring them raised; the job log has the traces"
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
