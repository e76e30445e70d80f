"""What any engine must be told about one attempt, in no engine's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rrm.presets import Hyperparameters
from rrm.reasoning import resolve_reasoning
from rrm.train.attempt import Attempt
from rrm.train.checkpoints import Start
from rrm.train.weights import weights_folder
from rrm_api.run import Intent
from rrm_api.spec_pods import Accelerator

LORA_ALPHA: Final = 32
"""Of every LoRA; OpenJudge's suggestion, on all linear layers."""


@dataclass(frozen=True)
class RayPlace:
    """Where Ray is: an existing cluster, or one that verl starts inside this process.

    Attributes:
        address: Of an existing cluster (`auto` = the one of this node); None = embedded.
        temp_folder: Sockets and logs of an embedded Ray; its path must be short (Unix sockets: 107 bytes).
        environment: Variables that every process of the run gets, beyond what its node has.
    """

    address: str | None = None
    temp_folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt at a training.

    Attributes:
        intent: What is wanted; for what only one engine can or cannot do.
        numbers: Every effective number.
        is_cpu: Whether there are no GPUs.
        train_rows: Prepared rows to learn from.
        validation_rows: Prepared rows to measure on.
        answers: Folder for validation answers.
        weights: Folder of the starting weights.
        checkpoints: Folder below which `global_step_N` lie.
        resume_from: Checkpoint to go on from; None = the untrained model.
        enable_thinking: The chat template's argument.
        seed: Seed of everything.
        total_steps: Last step.
        evaluate_every: Steps between validations.
        save_every: Steps between checkpoints.
        evaluate_first: Whether to validate the untrained model.
        experiment: Name of this attempt in loggers.
        ray: Where Ray is.
        settings: What the trainer's processes rebuild the attempt from.
        own: The spec's own overrides, already in the engine's words.
        upstream_dataset: Entry point of a dataset class that was written for RM-Gallery; None = ours.
    """

    intent: Intent
    numbers: Hyperparameters
    is_cpu: bool
    train_rows: Path
    validation_rows: Path
    answers: Path
    weights: Path
    checkpoints: Path
    resume_from: Path | None
    enable_thinking: bool
    seed: int
    total_steps: int
    evaluate_every: int
    save_every: int
    evaluate_first: bool
    experiment: str
    ray: RayPlace
    settings: Mapping[str, str]
    own: Mapping[str, str]
    upstream_dataset: str | None = None

    @property
    def uses_kl(self) -> bool:
        """Whether a reference model is held."""
        return self.numbers.kl_coefficient > 0

    @property
    def room(self) -> int:
        """Tokens of the longest prompt with the longest answer."""
        return self.numbers.max_prompt_tokens + self.numbers.max_response_tokens

    @property
    def batched_tokens(self) -> int:
        """Tokens that the rollout engine reads at once; without chunks a whole prompt must fit."""
        return max(4096 if self.is_cpu else 8192, self.room)


def job_of(
    attempt: Attempt,
    start: Start,
    ray: RayPlace,
    *,
    evaluate_first: bool,
    upstream_dataset: str | None = None,
) -> Job:
    """Return the job of an attempt; arguments as for `rrm.train.overrides.overrides_for`."""
    intent, prepared, layout = attempt.run.intent, attempt.run.prepared, attempt.layout
    return Job(
        intent=intent,
        numbers=attempt.hyperparameters,
        is_cpu=intent.accelerator is Accelerator.CPU,
        train_rows=layout.data / "train.parquet",
        validation_rows=layout.data / "validation.parquet",
        answers=attempt.folder,
        weights=weights_folder(attempt),
        checkpoints=layout.checkpoints,
        resume_from=start.resume_from.path if start.resume_from else None,
        enable_thinking=resolve_reasoning(intent.model).enable_thinking,
        seed=intent.data.seed,
        total_steps=prepared.total_steps,
        evaluate_every=prepared.evaluate_every_steps,
        save_every=prepared.save_every_steps,
        evaluate_first=evaluate_first,
        experiment=f"{intent.name}-{attempt.number}",
        ray=ray,
        settings=attempt.settings(),
        own=intent.training.overrides,
        upstream_dataset=upstream_dataset,
    )
