"""Every effective number of a run: what the trainer reads, and nothing downstream has defaults of its own."""

from dataclasses import dataclass

from rrm.errors import InvalidSpec


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Every effective number of a run; units as in `rrm.presets.preset.UNITS`.

    At least one of `epochs` (None = as many passes as the steps take) and `max_steps` (None = as many as the
    epochs hold) is set.

    Attributes:
        max_tokens_per_gpu: Dynamic batches of at most so many tokens a pass; None = fixed ones of
            `micro_batch_size_per_gpu` answers.
        lora_rank: 0 = all weights are trained.
        gpu_memory_utilization: vLLM's part of each GPU, 0 to 1.
    """

    preset: str
    epochs: int | None
    max_steps: int | None
    batch_size: int
    mini_batch_size: int
    micro_batch_size_per_gpu: int
    rollouts_per_prompt: int
    learning_rate: float
    kl_coefficient: float
    temperature: float
    evaluate_every_steps: int
    save_every_steps: int
    tensor_parallel: int
    max_prompt_tokens: int
    max_response_tokens: int
    filter_groups: bool = False
    warmup_steps: int = 0
    entropy_coefficient: float = 0.0
    lora_rank: int = 0
    max_tokens_per_gpu: int | None = None
    gpu_memory_utilization: float = 0.6
    clip_ratio_low: float = 0.2
    clip_ratio_high: float = 0.2

    @property
    def room(self) -> int:
        """Tokens of the longest prompt with the longest answer."""
        return self.max_prompt_tokens + self.max_response_tokens

    def steps_per_epoch(self, train_rows: int) -> int:
        """Return the steps of one pass; an incomplete last batch is left out.

        Raises:
            InvalidSpec: If the rows do not fill one batch.
        """
        per_epoch = train_rows // self.batch_size
        if per_epoch == 0:
            raise InvalidSpec(
                f"spec.training.batchSize is {self.batch_size}, but only {train_rows} training rows are "
                "left; use a smaller batch or more rows"
            )
        return per_epoch

    def total_steps(self, train_rows: int) -> int:
        """Return the number of optimizer steps.

        Raises:
            InvalidSpec: If the rows do not fill one batch.
        """
        per_epoch = self.steps_per_epoch(train_rows)
        bounds = (self.max_steps, None if self.epochs is None else per_epoch * self.epochs)
        return min(bound for bound in bounds if bound is not None)
