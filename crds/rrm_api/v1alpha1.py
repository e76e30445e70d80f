"""The resource `RewardModelTraining`, version v1alpha1: spec (written by people) and status (written by us).

The docstring below each field is its documentation; `crds/generate.py` turns this module into the CRD, the
reference page and the editor schema. Each CEL rule has its Python twin beside it, so `rrm run` refuses what
the API server refuses, with the same words.
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rrm_api.fields import DNS_LABEL, SHORT_CHARS, ApiModel, ObjectName
from rrm_api.group import ANNOTATION_RETRY, API_VERSION, KIND
from rrm_api.rules import Rule, unchanged_once_saved
from rrm_api.spec_data import Data, Plugins, Reward, Template
from rrm_api.spec_pods import (
    Checkpoints,
    EnvVar,
    Export,
    HeadPods,
    ImagePullPolicy,
    JobPods,
    NamedRef,
    Workers,
)
from rrm_api.spec_scheduling import Scheduling
from rrm_api.spec_train import Method, Model, Policy, Training
from rrm_api.status import TrainingStatus

MAX_NAME_LENGTH = 40


def _saves_when_it_evaluates(spec: "RewardModelTrainingSpec") -> bool:
    save, evaluate = spec.checkpoints.every_steps, spec.training.evaluate_every_steps
    return not (save and evaluate) or save % evaluate == 0


def _pays_what_it_asks(spec: "RewardModelTrainingSpec") -> bool:
    if spec.reward is None:
        return True
    kinds = (spec.reward.exponential, spec.reward.linear)
    wrong = kinds if spec.method is Method.PAIRWISE else (spec.reward.pairwise,)
    return all(kind is None for kind in wrong)


class RewardModelTrainingSpec(ApiModel):
    """What shall be trained, from what, on how many GPUs."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.reward) || (self.method == 'Pairwise' ? "
            "!has(self.reward.exponential) && !has(self.reward.linear) : !has(self.reward.pairwise))",
            message="spec.reward: pairwise is for the method Pairwise, exponential and linear for Pointwise",
            holds=_pays_what_it_asks,
        ),
        Rule(
            cel="!has(self.template) || !has(self.template.name) || "
            "self.template.name == self.method.lowerAscii()",
            message="spec.template.name must be the method's: pointwise or pairwise",
            holds=lambda spec: spec.template.name in (None, spec.method.value.lower()),
        ),
        Rule(
            cel="!has(self.checkpoints.everySteps) || !has(self.training) || "
            "!has(self.training.evaluateEverySteps) || "
            "self.checkpoints.everySteps % self.training.evaluateEverySteps == 0",
            message="spec.checkpoints.everySteps must be a multiple of spec.training.evaluateEverySteps: "
            "only an evaluated checkpoint can be the best",
            holds=_saves_when_it_evaluates,
        ),
        Rule(
            cel="self.workers.nodes == 1 || !has(self.checkpoints.volume.size) || "
            "'ReadWriteMany' in self.checkpoints.volume.accessModes",
            message="spec.checkpoints.volume.accessModes must contain ReadWriteMany "
            "when spec.workers.nodes is above 1",
            holds=lambda spec: (
                spec.workers.nodes == 1
                or spec.checkpoints.volume.size is None
                or "ReadWriteMany" in spec.checkpoints.volume.access_modes
            ),
        ),
    )

    suspend: bool = False
    """Save, give the GPUs back and keep everything; false again = go on from the last whole checkpoint."""
    method: Method
    """What is learned; selects dataset shape, template, reward and preset."""
    preset: Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z0-9.-]+$")] | None = None
    """Named complete set of hyper-parameters; default: the method's newest, pinned in status."""
    model: Model
    """The model that becomes a judge."""
    data: Data
    """What it learns from."""
    template: Template = Template()
    """How it is asked."""
    reward: Reward | None = None
    """How its answers are paid; default: the method's (Pointwise: exponential, Pairwise: pairwise)."""
    plugins: Plugins | None = None
    """Own datasets, templates and rewards."""
    training: Training = Training()
    """Hyper-parameters; what is absent comes from the preset."""
    workers: Workers
    """GPU nodes."""
    head: HeadPods = HeadPods()
    """Ray head."""
    jobs: JobPods = JobPods()
    """Prepare and export Jobs."""
    env: Annotated[list[EnvVar], Field(max_length=64)] = []
    """Environment variables of all pods."""
    service_account_name: ObjectName | None = None
    """Service account of all pods; default: one made for this training."""
    image: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^\S+$")] | None = None
    """Trainer image; default: the operator's."""
    image_pull_policy: ImagePullPolicy | None = None
    """Default: Kubernetes' own rule by tag."""
    image_pull_secrets: Annotated[list[NamedRef], Field(max_length=8)] = []
    """Secrets for private registries."""
    checkpoints: Checkpoints
    """What is saved, where, how often."""
    scheduling: Scheduling = Scheduling()
    """When and where the Ray pods run."""
    policy: Policy = Policy()
    """What happens when things go wrong."""
    export: Export = Export()
    """What comes out."""


class ObjectMeta(ApiModel):
    """The part of `metadata` that we read; all else is kept by the API server and ignored here."""

    model_config = {**ApiModel.model_config, "extra": "ignore"}

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH, pattern=DNS_LABEL)]
    """DNS label of at most 40 characters: names of children add a suffix."""
    namespace: ObjectName = "default"
    """Namespace."""
    uid: str = ""
    """Unique id given by the API server; empty for a file on this machine."""
    generation: int = 0
    """Counts spec changes."""
    resource_version: str = ""
    """Version for optimistic locking."""
    annotations: dict[str, str] = {}
    """Annotations."""
    deletion_timestamp: str | None = None
    """Set while it is being deleted."""

    @property
    def retry(self) -> str | None:
        """What a person asked to try again with, as far as `status.lastHandledRetry` can hold it."""
        return self.annotations.get(ANNOTATION_RETRY, "")[:SHORT_CHARS] or None


IMMUTABLE_ONCE_SAVED: tuple[tuple[str, ...], ...] = (
    ("method",),
    ("preset",),
    ("model", "name"),
    ("model", "revision"),
    ("model", "volume"),
    ("model", "reasoning"),
    ("data",),
    ("template",),
    ("reward",),
    ("training", "batchSize"),
    ("training", "rolloutsPerPrompt"),
    ("training", "filterGroups"),
    ("workers", "nodes"),
    ("workers", "gpusPerNode"),
    ("workers", "accelerator"),
    ("checkpoints", "volume", "claimName"),
)
"""Spec fields that the rows, the shards or the numbers of a checkpoint depend on."""


class RewardModelTraining(ApiModel):
    """Train a language model with GRPO to reason about answers and score them."""

    model_config = {**ApiModel.model_config, "extra": "ignore"}
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_NAME_LENGTH} && "
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            message=f"metadata.name must be a DNS label of at most {MAX_NAME_LENGTH} characters that "
            "starts with a letter: names of pods and volumes are built from it",
            holds=lambda t: (
                re.fullmatch(DNS_LABEL, t.metadata.name) is not None
                and len(t.metadata.name) <= MAX_NAME_LENGTH
            ),
        ),
        *(unchanged_once_saved(*path) for path in IMMUTABLE_ONCE_SAVED),
    )

    api_version: Literal["training.rrm.dev/v1alpha1"] = API_VERSION
    kind: Literal["RewardModelTraining"] = KIND
    metadata: ObjectMeta
    spec: RewardModelTrainingSpec
    status: TrainingStatus = TrainingStatus()


def parse_training(manifest: dict[str, Any]) -> RewardModelTraining:
    """Return the training of a manifest.

    Raises:
        pydantic.ValidationError: With one entry per fault, each naming its field.
    """
    return RewardModelTraining.model_validate(manifest)
