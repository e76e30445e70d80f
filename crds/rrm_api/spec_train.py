"""`spec.model` and `spec.training`: the weights to start from and how GRPO changes them."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from rrm_api.fields import ApiModel, Decimal, Key, ObjectName, RelativePath
from rrm_api.rules import Rule

OWNED_OVERRIDES = (
    "trainer.default_local_dir",
    "trainer.logger",
    "trainer.n_gpus_per_node",
    "trainer.nnodes",
    "trainer.resume_from_path",
    "trainer.resume_mode",
    "trainer.total_training_steps",
    "trainer.validation_data_dir",
    "data.train_files",
    "data.val_files",
    "data.custom_cls.path",
    "data.custom_cls.name",
    "reward.custom_reward_function.path",
    "reward.custom_reward_function.name",
    "actor_rollout_ref.model.path",
)
"""Keys of the trainer's configuration that only other fields of the spec or the operator may set."""

_PARENTS: Final = tuple(
    dict.fromkeys(
        ".".join(words[:depth])
        for words in (key.split(".") for key in OWNED_OVERRIDES)
        for depth in range(1, len(words))
    )
)
"""What holds an owned key: set, emptied or removed as a whole, it takes that key with it."""


def _any_of(keys: Iterable[str]) -> str:
    return "|".join(key.replace(".", "[.]") for key in keys)


_REACHING: Final = (
    # Hydra adds by `+`, sets by `++` and removes by `~`; `group@key` puts a group of its files in a place.
    "[+~]*([^=]*@)?("
    # An owned key and what is below it, or a parent as a whole; not a longer name that begins the same.
    f"({_any_of(OWNED_OVERRIDES)})([^A-Za-z0-9_$-].*)?|({_any_of(_PARENTS)})([^A-Za-z0-9_$.-].*)?)"
)
"""Keys that reach an owned one, in the syntax that Python and the API server's RE2 share."""


def reaches_owned(key: str) -> bool:
    """Return whether a raw key of the trainer's configuration would change an owned one.

    >>> [reaches_owned(key) for key in ("trainer.nnodes", "++trainer", "~data", "trainer.logger.0")]
    [True, True, True, True]
    >>> [reaches_owned(key) for key in ("trainer.project_name", "+data.train_files_of_mine", "algorithm")]
    [False, False, False]
    """
    return re.fullmatch(_REACHING, key) is not None


class Method(StrEnum):
    """One dial that selects dataset shape, template, reward and preset."""

    POINTWISE = "Pointwise"
    PAIRWISE = "Pairwise"


class Reasoning(StrEnum):
    """Who produces the reasoning before the score."""

    AUTO = "Auto"
    NATIVE = "Native"
    PROMPTED = "Prompted"
    NONE = "None"


class SecretKeyRef(ApiModel):
    """One key of a Secret in the same namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: Key
    """Key inside the Secret."""


class ModelVolume(ApiModel):
    """Weights on a claim instead of a hub."""

    claim_name: ObjectName
    """Claim in the same namespace, mounted read-only."""
    path: RelativePath
    """Folder inside the claim that holds config.json, tokenizer and weights."""


class Model(ApiModel):
    """The model that becomes a judge."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """Hub id such as `Qwen/Qwen3-8B`; with `volume` only a label for reports."""
    revision: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Commit or tag on the hub; default: the newest. The resolved commit is pinned in status."""
    volume: ModelVolume | None = None
    """Read the weights from a claim instead of a hub."""
    reasoning: Reasoning = Reasoning.AUTO
    """`Native` = the model's own thinking, `Prompted` = a tag our prompt asks for, `None` = score only;
    `Auto` reads the model's family."""
    token_secret_ref: SecretKeyRef | None = None
    """Hub token for gated models."""


class Training(ApiModel):
    """Hyper-parameters of GRPO. What is absent comes from the preset."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"!has(self.overrides) || !self.overrides.exists(k, k.matches('^({_REACHING})$'))",
            message="spec.training.overrides may not set paths, resume, logger, node counts or total steps: "
            f"other fields of the spec and the operator set {', '.join(OWNED_OVERRIDES)}; leave these out, "
            "what is below them, and their parents as a whole, also with +, ++ or ~",
            holds=lambda t: not any(map(reaches_owned, t.overrides)),
        ),
        Rule(
            cel="!has(self.batchSize) || !has(self.miniBatchSize) || "
            "self.batchSize % self.miniBatchSize == 0",
            message="spec.training.batchSize must be a multiple of miniBatchSize",
            holds=lambda t: not (t.batch_size and t.mini_batch_size) or t.batch_size % t.mini_batch_size == 0,
        ),
    )

    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Passes over the training rows; `maxSteps` ends earlier."""
    max_steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Number of optimizer steps; default: as many as the epochs hold."""
    batch_size: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Prompts per step."""
    mini_batch_size: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Prompts per optimizer update."""
    micro_batch_size_per_gpu: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Answers per GPU in one forward and backward pass."""
    rollouts_per_prompt: Annotated[int, Field(ge=2, le=256)] | None = None
    """Answers sampled per prompt: the group whose mean is the baseline of the advantage."""
    learning_rate: Decimal | None = None
    """Constant learning rate of AdamW: `"1e-6"`."""
    kl_coefficient: Decimal | None = None
    """Weight of the KL loss against the starting model; `"0"` loads no reference model."""
    temperature: Decimal | None = None
    """Sampling temperature of the rollout."""
    filter_groups: bool | None = None
    """Leave out prompts all of whose answers are equally right, as they teach nothing, and ask others in
    their place; at most ten batches more a step. Default: from the preset."""
    evaluate_every_steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Validation every so many steps, and before the first."""
    tensor_parallel: Annotated[int, Field(ge=1, le=16)] | None = None
    """GPUs that share one rollout server."""
    overrides: Annotated[
        dict[Annotated[str, Field(max_length=128)], Annotated[str, Field(max_length=1024)]],
        Field(max_length=64),
    ] = {}
    """Raw keys of the trainer's configuration; they win over the fields above. Paths, resume, logger, node
    counts and total steps are refused, also where a parent brings them."""


class OnUnhealthy(StrEnum):
    """What follows when a run trains but gets worse or learns nothing."""

    WARN = "Warn"
    STOP = "Stop"


class OnDrain(StrEnum):
    """What an eviction of a Ray pod meets, as when a node is drained."""

    BLOCK = "Block"
    SAVE = "Save"


Seconds = Annotated[int, Field(ge=0, le=31_536_000)]
LongSeconds = Annotated[int, Field(ge=1, le=31_536_000)]


class Policy(ApiModel):
    """What happens when things go wrong."""

    on_unhealthy: OnUnhealthy = OnUnhealthy.WARN
    """Reaction to a collapse of reward or parse rate, a KL that blows up, answers that are cut off, groups
    that teach nothing, or no lift at all: `Warn` says it and goes on, `Stop` saves and ends the training."""
    on_drain: OnDrain = OnDrain.BLOCK
    """`Block` = a budget keeps Ray pods from being evicted; `Save` = an eviction saves, and the training goes
    on elsewhere."""
    max_restarts: Annotated[int, Field(ge=0, le=1000)] = 5
    """Restarts in a row that may end without a new checkpoint; each new one gives all of them back.
    0 = never restart."""
    restart_backoff_seconds: LongSeconds = 10
    """Wait before the first restart; doubled with each that saved nothing new, 10 minutes at most."""
    startup_deadline_seconds: LongSeconds = 3600
    """Longest time from asking for GPUs to the first step of an attempt, waiting for quota not counted."""
    stall_deadline_seconds: LongSeconds = 1800
    """Longest time without a sign of progress: above the longest validation and save."""
    job_deadline_seconds: LongSeconds = 259_200
    """Longest time for preparing, and for exporting, waiting for a place counted; default: three days."""
    active_deadline_seconds: LongSeconds | None = None
    """Longest time for everything, suspension and waiting for quota not counted; default: none."""
    ttl_seconds_after_finished: Seconds | None = None
    """Remove Jobs and their pods so long after the end; the training and its volume stay. Default: keep."""
