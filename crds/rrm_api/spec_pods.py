"""`spec.workers`, `head`, `jobs`, `env`, `checkpoints`, `export`: pods and volumes."""

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from rrm_api.fields import ENV_NAME, ApiModel, ObjectName, exactly_one
from rrm_api.quantities import Quantity
from rrm_api.rules import Rule
from rrm_api.spec_train import SecretKeyRef

SECRET_NAME = r"(?i)(^|_)(KEY|TOKEN|SECRET|PASSWORD)$"
QuantityMap = Annotated[dict[Annotated[str, Field(max_length=128)], Quantity], Field(max_length=16)]
Effect = Annotated[str, Field(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$", max_length=16)]
DEEPEST = 64
"""Levels of a pod template; Kubernetes' own have a dozen, and a schema cannot say it."""


def _not_too_deep(template: dict[str, Any]) -> dict[str, Any]:
    inside: list[Any] = [template]
    for _ in range(DEEPEST):
        parts = (part for it in inside for part in (it.values() if isinstance(it, dict) else it))
        inside = [it for it in parts if isinstance(it, dict | list)]
    if inside:
        raise ValueError(f"nested more than {DEEPEST} levels deep")
    return template


PodTemplate = Annotated[
    dict[str, Any],
    Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
    AfterValidator(_not_too_deep),
]


class Accelerator(StrEnum):
    """What the workers compute on."""

    NVIDIA = "NVIDIA"
    CPU = "CPU"


class ImagePullPolicy(StrEnum):
    """When the kubelet asks the registry."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class NamedRef(ApiModel):
    """An object of this namespace by name."""

    name: ObjectName
    """Name of the object."""


class EnvVarSource(ApiModel):
    """Where the value of an environment variable comes from."""

    secret_key_ref: SecretKeyRef
    """Key of a Secret."""


class EnvVar(ApiModel):
    """An environment variable of every pod."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.env entries need exactly one of value and valueFrom", value="value", value_from="valueFrom"
        ),
        Rule(
            cel=f"!has(self.value) || !self.name.matches('{SECRET_NAME}')",
            message="spec.env: a name that ends in KEY, TOKEN, SECRET or PASSWORD must use "
            "valueFrom.secretKeyRef, not a plain value",
            holds=lambda env: env.value is None or re.search(SECRET_NAME, env.name) is None,
        ),
    )

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=ENV_NAME)]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=4096)] | None = None
    """Plain value; refused for names that end in KEY, TOKEN, SECRET or PASSWORD."""
    value_from: EnvVarSource | None = None
    """Reference to a Secret."""


class Resources(ApiModel):
    """Requests and limits of the main container; the accelerator is added by us."""

    requests: QuantityMap | None = None
    """Guaranteed amounts."""
    limits: QuantityMap | None = None
    """Upper bounds."""


class Toleration(ApiModel):
    """A Kubernetes toleration."""

    key: Annotated[str, Field(max_length=317)] | None = None
    """Taint key; absent = all keys."""
    operator: Annotated[str, Field(pattern="^(Exists|Equal)$", max_length=6)] | None = None
    """`Exists` or `Equal`."""
    value: Annotated[str, Field(max_length=63)] | None = None
    """Taint value."""
    effect: (
        Annotated[str, Field(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$", max_length=16)] | None
    ) = None
    """Taint effect; absent = all effects."""
    toleration_seconds: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    """How long a NoExecute taint is tolerated."""


class PodKnobs(ApiModel):
    """The few typed knobs every kind of pod has, plus one escape hatch."""

    resources: Resources | None = None
    """Requests and limits of the main container; default: from the operator."""
    node_selector: (
        Annotated[
            dict[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=63)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    """Labels a node must have."""
    tolerations: Annotated[list[Toleration], Field(max_length=16)] | None = None
    """Taints these pods tolerate."""
    pod_template: PodTemplate | None = None
    """Partial pod template, merged over ours by name (containers, volumes, env): for everything else."""


class HeadPods(PodKnobs):
    """The Ray head: CPU only, runs the driver."""


class JobPods(PodKnobs):
    """The prepare and export Jobs: CPU only."""


class Workers(PodKnobs):
    """The GPU nodes."""

    nodes: Annotated[int, Field(ge=1, le=1024)]
    """Number of worker pods, one per node."""
    gpus_per_node: Annotated[int, Field(ge=1, le=16)] = 8
    """GPUs per worker pod."""
    gpu_resource: Annotated[str, Field(min_length=1, max_length=128)] = "nvidia.com/gpu"
    """Extended resource that a GPU is asked for by."""
    accelerator: Accelerator = Accelerator.NVIDIA
    """`CPU` = a real run without GPUs, for trying things out and for tests."""
    shared_memory: Quantity | None = None
    """Size of /dev/shm; default: from the operator."""


class DeletionPolicy(StrEnum):
    """What happens to a volume that was made for a training when the training is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class CheckpointVolume(ApiModel):
    """The volume that checkpoints, data and the exported model live on."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.checkpoints.volume needs exactly one of claimName (use it) and size (make one)",
            claim_name="claimName",
            size="size",
        ),
        Rule(
            # A size of before there was a pattern may be none: that must not stand in the way of a right one.
            cel="!has(self.size) || !has(oldSelf.size) || !isQuantity(string(oldSelf.size)) || "
            "quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",
            message="spec.checkpoints.volume.size cannot shrink",
        ),
    )

    claim_name: ObjectName | None = None
    """An existing ReadWriteMany claim."""
    size: Quantity | None = None
    """Make a claim of this size. May grow, never shrink."""
    storage_class_name: ObjectName | None = None
    """Storage class of the claim we make; default: the cluster's."""
    access_modes: Annotated[
        list[Annotated[str, Field(pattern="^(ReadWriteMany|ReadWriteOnce)$", max_length=16)]],
        Field(min_length=1, max_length=2),
    ] = ["ReadWriteMany"]
    """Access modes of the claim we make. Head, workers and Jobs all mount it: ReadWriteOnce works only with
    `workers.nodes: 1`, where all of them run on one Kubernetes node."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """`Delete` = the claim we made goes with the training; one named by `claimName` never does."""


class Checkpoints(ApiModel):
    """What is saved, how often, and how much is kept."""

    volume: CheckpointVolume
    """Where checkpoints live."""
    every_steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Save every so many steps; a multiple of `training.evaluateEverySteps`. Default: from the preset."""
    keep_last: Annotated[int, Field(ge=2, le=100)] = 2
    """Keep this many of the newest whole checkpoints."""
    keep_best: bool = True
    """Also keep the one with the best validation reward."""
    save_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = 600
    """How long a training that is suspended, drained, deleted or over its deadline may take to save before
    its pods go; above the longest step and save. 0 = at once, losing the steps since the last checkpoint."""


class ExportCheckpoint(StrEnum):
    """Which checkpoint becomes the exported model."""

    BEST = "Best"
    LAST = "Last"


class Export(ApiModel):
    """The Hugging Face folder that the training ends with."""

    enabled: bool = True
    """Export after training."""
    checkpoint: ExportCheckpoint = ExportCheckpoint.BEST
    """`Best` by validation reward, or the `Last` one."""
