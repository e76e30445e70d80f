"""verl's trainer with save on stop, train-time metrics, progress, pruning and bounds on sick runs.

Order inside a step of verl 0.9.1: train, save, `on_step_end`, validate, `_compute_metrics`, log. So what must
be in the log belongs into `_compute_metrics`, and a checkpoint's validation is known there.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import transfer_queue
from verl.trainer.ppo.v1 import PPOTrainerSync
from verl.utils.debug import marked_timer

from rrm.train.attempt import attempt_of
from rrm.train.checkpoints import resumed_step
from rrm.train.errors import Unhealthy
from rrm.train.fence import require_current
from rrm.train.recorder import Recorder, StepAnswers, add_own_time, require_answers, require_scored
from rrm_api.conditions import Reason
from rrm_api.run import Phase

MOST_REFILLS: Final = 10
"""Extra batches that one step may order while groups are filtered; verl's own bound is ignored."""


class RrmTrainer(PPOTrainerSync):  # type: ignore[misc]
    """Trains like verl's own; `stopped_at` tells the step at which it left on request."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._attempt = attempt_of(config.rrm)
        resumed_from = resumed_step(config.trainer.resume_mode, config.trainer.resume_from_path)
        self._recorder = Recorder(self._attempt, resumed_from=resumed_from)
        self._saved_at: int | None = None
        self._refilled = 0
        self._own_seconds = 0.0
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
            self._recorder.beat(Phase.ROLLOUT, self.global_steps - 1)

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
        self._recorder.beat(Phase.SAVING, self.global_steps)
        super()._save_checkpoint()
        self._saved_at = self.global_steps

    # Validation.

    def _validate(self) -> dict[str, float]:
        if self.stopped_at is not None:
            return {}
        self._recorder.beat(Phase.VALIDATING, self.global_steps)
        metrics: dict[str, float] = super()._validate()
        self._recorder.validated(self.global_steps)
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
            self._recorder.validation(self.global_steps, outputs, scores, reward_extra_infos_dict)

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
        return metrics | self._recorder.validation_metrics

    # Metrics, progress, pruning.

    def _compute_metrics(
        self, batch: Any, metrics: dict[str, Any], timing_raw: dict[str, float], global_steps: int, epoch: int
    ) -> None:
        super()._compute_metrics(batch, metrics, timing_raw, global_steps, epoch)
        with self._own():
            metrics["rrm/refilled_prompts"] = self._refilled
            found = self._recorder.step(global_steps, metrics, self._answers(batch))
        add_own_time(metrics, found, outside=self._own_seconds)
        require_answers(found, global_steps)
        require_scored([found.means.get("reward_error", 0.0)], f"step {global_steps}")
        unhealthy = self._recorder.unhealthy()
        if unhealthy is not None:
            if self._saved_at != global_steps:
                self._save_checkpoint()
            raise unhealthy

    def _answers(self, batch: Any) -> StepAnswers:
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
        config = self.config
        return StepAnswers(
            keys,
            infos,
            scores=data["rm_scores"].sum(dim=1).tolist(),  # (answers,)
            expected=int(config.data.train_batch_size) * int(config.actor_rollout_ref.rollout.n),
        )

    # Bound on refills.

    def _add_prompts_to_generate(self, num_prompts: int) -> int:
        self._refilled += num_prompts
        limit = MOST_REFILLS * int(self.config.data.train_batch_size)
        if self._refilled > limit:
            raise Unhealthy(
                f"step {self.global_steps}: {self._refilled} extra prompts were ordered and the answers to "
                f"each are still all right or all wrong; at most {limit} are. Easier or harder rows, or "
                "spec.training.filterGroups: false, let it go on",
                Reason.ZERO_VARIANCE,
            )
        return int(super()._add_prompts_to_generate(num_prompts))
