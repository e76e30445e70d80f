"""verl's trainer with save on stop, train-time metrics, progress, pruning and bounds on sick runs.

Order inside a step of verl 0.9.1: train, save, `on_step_end`, validate, `_compute_metrics`, log. So what must
be in the log belongs into `_compute_metrics`, and a checkpoint's validation is known there.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import transfer_queue
from verl.trainer.ppo.v1 import PPOTrainerSync
from verl.utils.debug import marked_timer

from rrm.errors import PluginFailed
from rrm.judge.metrics import judge_metrics
from rrm.train.answers import answer_rows, scored, write_answers
from rrm.train.attempt import attempt_of
from rrm.train.checkpoints import best_step, list_checkpoints, prune
from rrm.train.errors import Unhealthy
from rrm.train.fence import require_current
from rrm.train.health import RunHealth
from rrm.train.progress import ProgressLog
from rrm.train.step_metrics import StepMetrics, step_metrics
from rrm.train.validations import add_validation, read_validations, rewards_of
from rrm_api.run import Finding, Phase

MOST_MISSING: Final = 0.01
"""Share of a step's answers that may be lost; verl alone goes on with whatever is left."""
MOST_REWARD_ERRORS: Final = 0.01
"""Share of answers that a user's reward may fail to score; verl alone trains on the rest and ends well."""
MOST_REFILLS: Final = 10
"""Extra batches that one step may order while groups are filtered; verl's own bound is ignored."""


class RrmTrainer(PPOTrainerSync):  # type: ignore[misc]
    """Trains like verl's own; `stopped_at` tells the step at which it left on request."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._attempt = attempt_of(config.rrm)
        self._resumed_from = _resumed_step(config.trainer)
        self._log = ProgressLog(self._attempt, from_step=self._resumed_from or 0)
        self._saved_at: int | None = None
        self._refilled = 0
        self._own_seconds = 0.0
        self._validation: dict[str, float] = {}
        self._health = RunHealth(self._attempt, from_step=self._resumed_from or 0)
        self.stopped_at: int | None = None

    @contextmanager
    def _own(self) -> Iterator[None]:
        """Count the time as ours: its share of each step is logged."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._own_seconds += time.perf_counter() - start

    # Save on stop.

    def on_train_begin(self) -> None:
        """Leave before the first step if the stop was asked while processes started."""
        super().on_train_begin()
        if self._attempt.stop_mark.exists():
            self.stopped_at = self.total_training_steps = self.global_steps - 1

    def on_step_begin(self) -> None:
        """Note the phase; count own time anew."""
        super().on_step_begin()
        self._refilled, self._own_seconds = 0, 0.0
        with self._own():
            self._log.beat(Phase.ROLLOUT, self.global_steps - 1)

    def on_step_end(self) -> None:
        """On a stop save unless that was just done, and let verl log and leave; the last step is the end."""
        is_last = self.global_steps >= self.total_training_steps
        if is_last or not self._attempt.stop_mark.exists():
            super().on_step_end()
            return
        # The weight sync of super() is left out: nothing is generated after this.
        if self._saved_at != self.global_steps:
            with marked_timer("save_checkpoint", self.timing_raw):
                self._save_checkpoint()
        self.stopped_at = self.total_training_steps = self.global_steps

    def _save_checkpoint(self) -> None:
        require_current(self._attempt)
        self._log.beat(Phase.SAVING, self.global_steps)
        super()._save_checkpoint()
        self._saved_at = self.global_steps

    # Validation.

    def _validate(self) -> dict[str, float]:
        if self.stopped_at is not None:
            return {}
        self._log.beat(Phase.VALIDATING, self.global_steps)
        metrics: dict[str, float] = super()._validate()
        self._log.validated(self.global_steps)
        return metrics

    def _dump_generations(
        self,
        inputs: Sequence[str],
        outputs: Sequence[str],
        gts: Sequence[Any],
        scores: Sequence[float],
        reward_extra_infos_dict: dict[str, list[Any]],
        dump_path: str,
    ) -> None:
        """Write the answers of a validation as our table instead of verl's JSON lines."""
        if dump_path != self.config.trainer.validation_data_dir:  # verl's own dump of what it trains on
            super()._dump_generations(inputs, outputs, gts, scores, reward_extra_infos_dict, dump_path)
            return
        with self._own():
            rows = answer_rows(outputs, scores, reward_extra_infos_dict)
            write_answers(self._attempt.answers(self.global_steps), rows)
            _require_scored(
                [float(row["reward_error"]) for row in rows], f"validation at {self.global_steps}"
            )
            self._validation = judge_metrics(scored(rows), self._attempt.scale)
            add_validation(self._attempt.validations, self.global_steps, self._validation)

    def _val_metrics_update(
        self,
        data_sources: Any,
        sample_uids: Any,
        infos: dict[str, list[Any]],
        *arguments: Any,
        **keywords: Any,
    ) -> dict[str, float]:
        # verl bootstraps each key a thousand times per row: only those of its own tables.
        few = {name: infos[name] for name in ("reward", "acc") if name in infos}
        metrics: dict[str, float] = super()._val_metrics_update(
            data_sources, sample_uids, few, *arguments, **keywords
        )
        metrics |= {f"rrm/validation/{name}": value for name, value in self._validation.items()}
        return metrics

    # Metrics, progress, pruning.

    def _compute_metrics(
        self, batch: Any, metrics: dict[str, Any], timing_raw: dict[str, float], global_steps: int, epoch: int
    ) -> None:
        super()._compute_metrics(batch, metrics, timing_raw, global_steps, epoch)
        with self._own():
            infos, found = self._step_metrics(batch)
            metrics.update({f"rrm/{name}": value for name, value in found.means.items()})
            metrics["rrm/refilled_prompts"] = self._refilled
            findings = self._health.observe(global_steps, metrics)
            self._note_rows(infos)
            self._finish_step(found, reward=float(metrics["critic/score/mean"]), seconds=timing_raw["step"])
        own = self._own_seconds + found.hook_seconds
        metrics["rrm/hook_seconds"] = own
        metrics["rrm/hook_seconds_share"] = own / timing_raw["step"]
        if found.missing > MOST_MISSING * found.expected:
            raise Unhealthy(
                f"step {global_steps}: {found.missing} of {found.expected} answers are missing, because "
                "generating or scoring them raised; the job log has the traces"
            )
        _require_scored([found.means.get("reward_error", 0.0)], f"step {global_steps}")
        if findings and self._health.ends_run:
            self._leave_unhealthy(findings[0])

    def _leave_unhealthy(self, finding: Finding) -> None:
        """Save what there is and end the run, as `policy.onUnhealthy: Stop` asks."""
        if self._saved_at != self.global_steps:
            self._save_checkpoint()
        raise Unhealthy(finding.message, finding.reason)

    def _note_rows(self, infos: Sequence[dict[str, Any]]) -> None:
        rows = sorted({info["row_id"] for info in infos})
        with self._attempt.rows.open("a") as lines:
            lines.write(json.dumps({"step": self.global_steps, "rows": rows}) + "\n")

    def _step_metrics(self, batch: Any) -> tuple[list[dict[str, Any]], StepMetrics]:
        is_padding = [bool(tag.get("is_padding", False)) for tag in batch.tags]
        keys = [key for key, pads in zip(batch.keys, is_padding, strict=True) if not pads]
        data = transfer_queue.kv_batch_get(
            keys=keys, partition_id=batch.partition_id, select_fields=["extra_fields", "rm_scores", "entropy"]
        )
        entropies = [float(answer.mean()) for answer in data["entropy"].unbind()]  # over its tokens
        infos = [
            {**fields["reward_extra_info"], "entropy": entropy}
            for fields, entropy in zip(list(data["extra_fields"]), entropies, strict=True)
        ]
        scores = data["rm_scores"].sum(dim=1).tolist()  # (answers,)
        config = self.config
        expected = int(config.data.train_batch_size) * int(config.actor_rollout_ref.rollout.n)
        return infos, step_metrics(keys, infos, scores, expected=expected)

    def _finish_step(self, found: StepMetrics, *, reward: float, seconds: float) -> None:
        attempt, intent = self._attempt, self._attempt.run.intent
        rewards = rewards_of(read_validations(attempt.validations))
        folder = attempt.layout.checkpoints
        whole = [checkpoint.step for checkpoint in list_checkpoints(folder) if checkpoint.is_whole]
        prune(
            folder,
            keep_last=intent.keep_last,
            best=best_step(whole, rewards) if intent.keep_best else None,
            resumed_from=self._resumed_from,
        )
        parse_rate = found.means.get("parse_ok")
        self._log.step_done(
            self.global_steps,
            reward=reward,
            parse_rate=parse_rate,
            seconds=seconds,
            findings=self._health.findings,
        )

    # Bound on refills.

    def _add_prompts_to_generate(self, num_prompts: int) -> int:
        self._refilled += num_prompts
        limit = MOST_REFILLS * int(self.config.data.train_batch_size)
        if self._refilled > limit:
            raise Unhealthy(
                f"step {self.global_steps}: {self._refilled} extra prompts were ordered and the answers to "
                f"each still earn the same; at most {limit} are"
            )
        return int(super()._add_prompts_to_generate(num_prompts))


def _require_scored(errors: Sequence[float], when: str) -> None:
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


def _resumed_step(trainer: Any) -> int | None:
    if trainer.resume_mode != "resume_path":
        return None
    return int(Path(trainer.resume_from_path).name.removeprefix("global_step_"))
