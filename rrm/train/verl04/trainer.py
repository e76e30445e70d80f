"""verl 0.4.0's trainer with save on stop, train-time metrics, progress, pruning and seeds.

It has no hooks. Order inside a step: sample, score, train, validate, save, log - so the log call, which our
`Tracking` receives, is where a step ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Final

from verl.trainer.ppo.ray_trainer import RayPPOTrainer
from verl.utils import tracking

from rrm.train.attempt import attempt_of
from rrm.train.checkpoints import resumed_step
from rrm.train.fence import require_current
from rrm.train.recorder import Recorder, add_own_time, require_scored
from rrm.train.seeds import request_seed
from rrm.train.verl04.metrics_file import MetricsFile
from rrm.train.verl04.worker import SEED
from rrm_api.run import Phase

FEW: Final = ("reward", "acc")
"""verl bootstraps each key of a validation a thousand times per row: only those of its own tables."""
TRAINED: Final = "training/global_step"
"""Only a step that was trained logs this; the validation before the first one does not."""


class StopRequested(Exception):
    """The stop mark was seen and the step is saved: leave verl's loop."""


class RrmTrainer(RayPPOTrainer):  # type: ignore[misc]
    """Trains like verl's own; `stopped_at` tells the step at which it left on request."""

    stopped_at: ClassVar[int | None] = None
    """Of the class: verl's runner makes the one instance and keeps it to itself."""

    def __init__(self, config: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(config, *arguments, **keywords)
        self._attempt = attempt_of(config.rrm)
        resumed_from = resumed_step(config.trainer.resume_mode, config.trainer.resume_from_path)
        self._recorder = Recorder(self._attempt, resumed_from=resumed_from)
        self._metrics = MetricsFile(self._attempt.metrics)
        self._saved_at: int | None = None
        self._is_validating = False
        self._entropies: list[float] = []

    def init_workers(self) -> None:
        """Start the workers; samples get seeds, and entropies are kept, on their way through here."""
        super().init_workers()
        group = self.actor_rollout_wg
        self._generate, self._log_probs = group.generate_sequences, group.compute_log_prob
        group.generate_sequences, group.compute_log_prob = self._seeded, self._with_entropies

    def _seeded(self, prompts: Any) -> Any:
        split = "validation" if self._is_validating else "train"
        if not self._is_validating:
            self._recorder.beat(Phase.ROLLOUT, self.global_steps - 1)
        prompts.meta_info[SEED] = request_seed(self._attempt.run.intent.data.seed, split, self.global_steps)
        return self._generate(prompts)

    def _with_entropies(self, batch: Any) -> Any:
        output = self._log_probs(batch)
        mask = batch.batch["response_mask"]  # (answers, tokens)
        means = (output.batch["entropys"] * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        self._entropies = means.tolist()
        return output

    def fit(self) -> None:
        """Train to the end, or to the step after which a stop was asked."""
        RrmTrainer.stopped_at = None
        with self._tracking():
            try:
                super().fit()
            except StopRequested:
                RrmTrainer.stopped_at = self.global_steps

    @contextmanager
    def _tracking(self) -> Iterator[None]:
        original, trainer = tracking.Tracking, self

        class Tracking(original):  # type: ignore[misc, valid-type]
            def log(self, data: dict[str, Any], step: int, backend: Any = None) -> None:
                trainer.end_step(data, step)
                super().log(data, step, backend)
                trainer.logged(data, step)

        tracking.Tracking = Tracking
        try:
            yield
        finally:
            tracking.Tracking = original

    # Save on stop.

    def _load_checkpoint(self) -> Any:
        result = super()._load_checkpoint()
        self._leave_if_asked()
        return result

    def _save_checkpoint(self) -> None:
        require_current(self._attempt)
        self._recorder.beat(Phase.SAVING, self.global_steps)
        super()._save_checkpoint()
        self._saved_at = self.global_steps

    def _leave_if_asked(self) -> None:
        if self._attempt.stop_mark.exists():
            raise StopRequested

    # Validation.

    def _validate(self) -> dict[str, float]:
        self._recorder.beat(Phase.VALIDATING, self.global_steps)
        self._is_validating = True
        try:
            metrics: dict[str, float] = super()._validate()
        finally:
            self._is_validating = False
        return metrics | self._recorder.validated(self.global_steps)

    def _dump_generations(
        self,
        inputs: Sequence[str],
        outputs: Sequence[str],
        scores: Sequence[float],
        reward_extra_infos_dict: dict[str, list[Any]],
        dump_path: str,
    ) -> None:
        """Write the answers of a validation as our table instead of verl's JSON lines."""
        if not self._is_validating:  # verl's own dump of what it trains on
            super()._dump_generations(inputs, outputs, scores, reward_extra_infos_dict, dump_path)
            return
        self._recorder.validation(self.global_steps, outputs, scores, reward_extra_infos_dict)
        for name in set(reward_extra_infos_dict) - set(FEW):
            del reward_extra_infos_dict[name]  # verl's own dictionary, which it reads after this

    # Metrics, progress, pruning.

    def end_step(self, metrics: dict[str, Any], step: int) -> None:
        """Add our numbers before verl logs."""
        answers = self.reward_fn.last
        if TRAINED not in metrics or answers is None:
            return
        infos = [
            {**info, "entropy": entropy} for info, entropy in zip(answers.infos, self._entropies, strict=True)
        ]
        add_own_time(metrics, self._recorder.step(step, metrics, replace(answers, infos=infos)))

    def logged(self, metrics: dict[str, Any], step: int) -> None:
        """Write what verl logged; on a stop, or a sick run, save unless that was just done, and leave."""
        self._metrics.add(step, metrics)
        require_scored([float(metrics.get("rrm/reward_error", 0.0))], f"step {step}")
        unhealthy = self._recorder.unhealthy()
        is_asked = step < self.total_training_steps and self._attempt.stop_mark.exists()
        if unhealthy is None and not is_asked:
            return
        if TRAINED in metrics and self._saved_at != step:
            self._save_checkpoint()
        raise unhealthy or StopRequested
