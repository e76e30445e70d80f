"""The contract between operator and trainer: what a run reads, where it writes, how it answers.

`intent.json` is written before preparing and says what is wanted; `run.json` adds what preparing resolved.
Records and progress travel in the progress ConfigMap, one key each.
"""

import hashlib
import json
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from rrm_api.conditions import Reason
from rrm_api.fields import ApiModel, Int64, LongText, ShortText, Time
from rrm_api.layout import Layout as Layout
from rrm_api.spec_data import Data, ExponentialReward, PairwiseReward, Plugins, Reward, Template
from rrm_api.spec_pods import Accelerator, ExportCheckpoint
from rrm_api.spec_train import Method, Model, OnUnhealthy, Training
from rrm_api.status import CheckpointsStatus, DataStatus, ExportStatus, Metrics
from rrm_api.v1alpha1 import IMMUTABLE_ONCE_SAVED, RewardModelTraining

VOLUME_MOUNT: Final = "/mnt/rrm"
"""Where the training's claim is mounted, read-write, in every pod."""
CLAIMS_MOUNT: Final = "/mnt/claims"
"""Other claims are mounted read-only below, each under its name."""
PLUGINS_MOUNT: Final = "/etc/rrm-plugins"
"""Folder of `spec.plugins` in every pod."""
RUN_MOUNT: Final = "/etc/rrm"
"""The run ConfigMap."""
INTENT_KEY: Final = "intent.json"
RUN_KEY: Final = "run.json"
PROGRESS_KEY: Final = "progress"
PROGRESS_CONFIG_MAP_ENV: Final = "RRM_PROGRESS_CONFIG_MAP"
"""Environment variable: name of the progress ConfigMap; absent outside Kubernetes."""
SECRET_VARIABLES_ENV: Final = "RRM_SECRET_VARIABLES"
"""Environment variable: names, with commas between, of those whose values come from Secrets."""
LOG_TAIL_CHARS: Final = 4096
MESSAGE_CHARS: Final = 8192
"""Longest message of a record: what it says stands at its beginning."""
AttemptNumber = Annotated[int, Field(le=2**31 - 1)]
"""No attempt has a higher one: what tells of it is not believed, for the next would be counted from there."""


class Role(StrEnum):
    """Who answers; also the key of its record in the progress ConfigMap."""

    PREPARE = "prepare"
    TRAIN = "train"
    EXPORT = "export"


class ExitCode(IntEnum):
    """Exit codes of every `rrm` process; the operator's classes of failure follow from them."""

    DONE = 0
    DATA = 10
    CONFIGURATION = 11
    MODEL = 12
    PLUGIN = 13
    UNHEALTHY = 14
    INFRASTRUCTURE = 20
    STOPPED = 30


class Result(StrEnum):
    """How a process ended."""

    DONE = "Done"
    FAILED = "Failed"
    STOPPED = "Stopped"


class Intent(ApiModel):
    """What is wanted: the part of the spec that shapes rows, weights and numbers."""

    name: str
    namespace: str
    uid: str
    method: Method
    preset: str | None = None
    model: Model
    data: Data
    template: Template
    reward: Reward
    plugins: Plugins | None = None
    training: Training
    on_unhealthy: OnUnhealthy = OnUnhealthy.WARN
    nodes: int
    gpus_per_node: int
    accelerator: Accelerator
    save_every_steps: int | None = None
    keep_last: int
    keep_best: bool
    export_enabled: bool
    export_checkpoint: ExportCheckpoint

    def digest(self) -> str:
        """Return 16 hex digits that change whenever the run would."""
        return digest_of(self.manifest(with_defaults=False))


class Prepared(ApiModel):
    """What preparing found and resolved."""

    data: DataStatus
    read_rows: int
    """Rows read from all sources, before any was dropped."""
    total_steps: int
    evaluate_every_steps: int
    save_every_steps: int
    preset: ShortText
    model_revision: ShortText | None = None
    floors: Metrics


class RunFile(ApiModel):
    """What an attempt reads: the intent and what was pinned when the data was prepared."""

    intent: Intent
    prepared: Prepared

    def digest(self) -> str:
        """Return 16 hex digits that change whenever the run would."""
        return digest_of(self.manifest(with_defaults=False))


class Trained(ApiModel):
    """What a finished attempt leaves behind."""

    step: Int64
    total_steps: Int64
    checkpoints: CheckpointsStatus
    base: Metrics
    """Validation metrics of step 0."""
    best: Metrics
    """Validation metrics of the best checkpoint."""


class Record(ApiModel):
    """The machine-readable end of every process: one key per role in the progress ConfigMap."""

    role: Role
    attempt: AttemptNumber = 0
    """Number of the attempt; 0 for prepare and export."""
    input_digest: str
    """Digest of the intent (prepare) or of the run file (train, export) that was read."""
    result: Result
    reason: Reason
    message: LongText
    exit_code: Int64
    finished_time: Time
    log_tail: LongText = ""
    prepared: Prepared | None = None
    trained: Trained | None = None
    exported: ExportStatus | None = None


class Phase(StrEnum):
    """What the trainer is doing right now."""

    STARTING = "Starting"
    ROLLOUT = "Rollout"
    VALIDATING = "Validating"
    SAVING = "Saving"
    FINISHED = "Finished"


class Finding(ApiModel):
    """Something about a run's numbers that a person should know."""

    reason: Reason
    step: Int64
    """Step at which it was first seen."""
    message: LongText


class Progress(ApiModel):
    """How far an attempt is; rewritten at most every few seconds."""

    attempt: AttemptNumber
    phase: Phase
    step: Int64
    total_steps: Int64
    from_step: Int64 = 0
    reward: float | None = None
    parse_rate: float | None = None
    seconds_per_step: float | None = None
    eta_seconds: Int64 | None = None
    validation: Metrics = []
    base: Metrics = []
    lift: float | None = None
    checkpoints: CheckpointsStatus = CheckpointsStatus()
    findings: list[Finding] = []
    """What is unhealthy now; empty = nothing."""
    time: Time
    """RFC 3339, UTC."""


def default_reward(method: Method) -> Reward:
    """Return how a method pays where the spec does not say."""
    if method is Method.PAIRWISE:
        return Reward(pairwise=PairwiseReward())
    return Reward(exponential=ExponentialReward())


def intent_of(training: RewardModelTraining) -> Intent:
    """Return what a training wants, without what only shapes its pods."""
    spec = training.spec
    return Intent(
        name=training.metadata.name,
        namespace=training.metadata.namespace,
        uid=training.metadata.uid,
        method=spec.method,
        preset=spec.preset,
        model=spec.model,
        data=spec.data,
        template=spec.template,
        reward=spec.reward or default_reward(spec.method),
        plugins=spec.plugins,
        training=spec.training,
        on_unhealthy=spec.policy.on_unhealthy,
        nodes=spec.workers.nodes,
        gpus_per_node=spec.workers.gpus_per_node,
        accelerator=spec.workers.accelerator,
        save_every_steps=spec.checkpoints.every_steps,
        keep_last=spec.checkpoints.keep_last,
        keep_best=spec.checkpoints.keep_best,
        export_enabled=spec.export.enabled,
        export_checkpoint=spec.export.checkpoint,
    )


def fingerprint(intent: Intent) -> dict[str, Any]:
    """Return what may not change once there are checkpoints, by the field's path in the spec.

    Without the claim: it says where the checkpoints lie, not what they are.
    """
    document = intent.manifest(with_defaults=False)
    found = {
        ".".join(path): _at(document, path[1:] if path[0] == "workers" else path)
        for path in IMMUTABLE_ONCE_SAVED
        if path[0] != "checkpoints"
    }
    return {path: value for path, value in found.items() if value is not None}


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def digest_of(document: dict[str, Any]) -> str:
    """Return the first 16 hex digits of the SHA-256 of a document in canonical JSON.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
