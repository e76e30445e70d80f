"""`status`: what the operator saw. Metrics are lists keyed by name, history is bounded."""

from typing import Annotated

from pydantic import AfterValidator, Field

from rrm_api.conditions import ConditionStatus, ConditionType, Stage
from rrm_api.fields import STORABLE, ApiModel, Int64, LongText, ShortText, Time, last_of_each

Number = Annotated[str, Field(max_length=32, pattern=r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")]
Count = Annotated[int, Field(ge=0), STORABLE]
MAX_ATTEMPTS = 10


class Condition(ApiModel):
    """A metav1.Condition."""

    type: Annotated[str, Field(max_length=64)]
    """Condition type."""
    status: ConditionStatus
    """True, False or Unknown."""
    observed_generation: Count = 0
    """Generation of the spec that this was said about."""
    last_transition_time: Time
    """When `status` last changed."""
    reason: Annotated[str, Field(min_length=1, max_length=64)]
    """One word of the closed list."""
    message: LongText = ""
    """A sentence for people."""


class Metric(ApiModel):
    """A named number."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    """Name of the metric."""
    value: Number
    """Its value."""


Metrics = Annotated[
    list[Metric],
    Field(
        max_length=64,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
    AfterValidator(last_of_each("name")),
]


class ProgressStatus(ApiModel):
    """How far the current attempt is."""

    step: Count = 0
    """Optimizer steps done."""
    total_steps: Count = 0
    """Optimizer steps planned."""
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of the steps done."""
    eta_seconds: Count | None = None
    """Expected time to the last step."""
    reward: Number | None = None
    """Mean training reward of the last step."""
    validation: Metrics = []
    """Metrics of the last validation."""
    lift: Number | None = None
    """Validation reward minus the better of base and best floor."""
    parse_rate: Number | None = None
    """Share of the last step's answers that could be read."""
    seconds_per_step: Number | None = None
    """Median duration of the last steps."""
    last_progress_time: Time | None = None
    """When the trainer last reported, by its own clock."""
    last_seen_time: Time | None = None
    """When the operator saw that report, by its clock: `policy.stallDeadlineSeconds` counts from here."""


class AttemptStatus(ApiModel):
    """One attempt: one submission to one RayCluster."""

    number: Count
    """Counts from 1."""
    cluster: ShortText
    """Name of its RayCluster."""
    generation: Count = 0
    """Generation of the spec it was made from."""
    start_time: Time
    """When it was counted, just before it was submitted."""
    end_time: Time | None = None
    """When its end was seen."""
    from_step: Count | None = None
    """Checkpoint it resumed from; 0 = from the start."""
    to_step: Count | None = None
    """Last step it reported."""
    reason: ShortText | None = None
    """How it ended."""
    message: LongText | None = None
    """In its own words."""
    saved_step: Count | None = None
    """Newest whole checkpoint when it ended."""
    restarts: Count = 0
    """Attempts in a row before it that ended badly and saved nothing new."""
    stop_time: Time | None = None
    """When it was asked to save and leave."""
    stop_reason: ShortText | None = None
    """Why it was asked to."""
    shape: ShortText | None = None
    """Digest of all in the spec that shaped its pods or its run: another one means it may be tried again."""
    forgiven: bool = False
    """Whether a person has asked to try again after it: the next attempt follows, with the whole budget."""


class ClusterStatus(ApiModel):
    """The RayCluster of the current attempt."""

    name: ShortText
    """Its name."""
    ready_nodes: Count = 0
    """Worker pods ready."""
    nodes: Count = 0
    """Worker pods wanted."""
    dashboard_url: ShortText | None = None
    """Ray dashboard inside the Kubernetes cluster."""


class CheckpointsStatus(ApiModel):
    """The whole checkpoints on the volume."""

    latest_step: Count | None = None
    """Step of the newest whole checkpoint."""
    latest_path: ShortText | None = None
    """Its folder inside the volume."""
    best_step: Count | None = None
    """Step of the one with the best validation reward."""
    best_path: ShortText | None = None
    """Its folder inside the volume."""
    bytes: Count | None = None
    """Size of all kept checkpoints."""


class DroppedRows(ApiModel):
    """Rows that were not used, by reason."""

    reason: Annotated[str, Field(min_length=1, max_length=64)]
    """Why."""
    rows: Count
    """How many."""


class DataStatus(ApiModel):
    """What preparing the data found."""

    train: Count
    """Training rows."""
    validation: Count
    """Validation rows."""
    dropped: Annotated[
        list[DroppedRows],
        Field(
            max_length=32,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["reason"]},
        ),
        AfterValidator(last_of_each("reason")),
    ] = []
    """Rows not used."""
    digest: ShortText
    """SHA-256 of the prepared rows."""


class ExportStatus(ApiModel):
    """The exported model."""

    path: ShortText
    """Folder inside the volume; loads with transformers."""
    step: Count
    """Checkpoint it was made from."""


class FailureStatus(ApiModel):
    """Why it does not go on."""

    reason: ShortText
    """Same word as the condition's reason."""
    message: LongText
    """What was expected, what was found, where, what to do."""
    exit_code: Int64 | None = None
    """Exit code of the process that failed."""
    log_tail: LongText | None = None
    """Its last log lines, secrets masked."""
    input_digest: ShortText | None = None
    """Digest of what a failed export was made for: a Job that is cleaned up is not run again."""


class GPUSeconds(ApiModel):
    """What was held and what of it was used; `holding` and `busy` are GPUs, and hold since `time`."""

    held: Count = 0
    """GPU seconds from the placing of worker pods to their end, up to `time`."""
    training: Count = 0
    """Of these, GPU seconds between the first and the last step of attempts."""
    holding: Count = 0
    """GPUs held since `time`."""
    busy: Count = 0
    """GPUs that train since `time`."""
    time: Time
    """Up to when the seconds are counted."""


class ActiveTime(ApiModel):
    """What `policy.activeDeadlineSeconds` is compared with; starts anew when a failed training is revived."""

    seconds: Count = 0
    """Active seconds up to `since`, or in all while it is not active."""
    since: Time | None = None
    """Since when it is active again; absent while suspended, waiting for quota, or at its end."""


class ResolvedStatus(ApiModel):
    """What was decided once, when the data was prepared, and stays."""

    image: ShortText | None = None
    """Trainer image, by digest where the node told it."""
    requested_image: ShortText | None = None
    """What the spec named when it was resolved: another one is resolved again."""
    preset: ShortText | None = None
    """Preset."""
    model_revision: ShortText | None = None
    """Commit of the model on the hub."""


class TrainingStatus(ApiModel):
    """What the operator saw last; deleting it loses only history."""

    observed_generation: int = -1
    """Generation of the spec this status is about; -1 = not looked at yet."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = []
    """Ready, Reconciling, Stalled, Succeeded and details; the reference page lists the reasons."""
    stage: Stage | None = None
    """Where the training is, for people; programs read the conditions."""
    attempt: Count | None = None
    """Number of the current attempt."""
    progress: ProgressStatus | None = None
    """How far it is."""
    attempts: Annotated[
        list[AttemptStatus],
        Field(
            max_length=MAX_ATTEMPTS,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["number"]},
        ),
    ] = []
    """The last attempts."""
    cluster: ClusterStatus | None = None
    """RayCluster, while there is one."""
    checkpoints: CheckpointsStatus | None = None
    """Whole checkpoints."""
    data: DataStatus | None = None
    """Prepared data."""
    floors: Metrics = []
    """Validation reward of answers that need no model, fitted on the training labels."""
    base: Metrics = []
    """Validation metrics of the untrained model."""
    export: ExportStatus | None = None
    """Exported model."""
    start_time: Time | None = None
    """When the operator first saw the training."""
    completion_time: Time | None = None
    """When it succeeded or failed for good."""
    failure: FailureStatus | None = None
    """Why it does not go on."""
    resolved: ResolvedStatus | None = None
    """What was pinned."""
    gpu_seconds: GPUSeconds | None = None
    """What the training has cost."""
    active: ActiveTime | None = None
    """How long it was active."""
    last_handled_retry: ShortText | None = None
    """Value of the annotation `training.rrm.dev/retry` that was acted upon last."""

    def condition(self, kind: ConditionType) -> Condition | None:
        """Return the condition of a type, None if it was never written."""
        return next((it for it in self.conditions if it.type == kind), None)
