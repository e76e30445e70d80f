"""Condition types, their closed lists of reasons, and the stages of a training."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a training is; derived from what is seen, never stored as a program counter."""

    PENDING = "Pending"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    TRAINING = "Training"
    STOPPING = "Stopping"
    SUSPENDED = "Suspended"
    BACKING_OFF = "BackingOff"
    RELEASING = "Releasing"
    EXPORTING = "Exporting"
    SUCCEEDED = "Succeeded"
    STALLED = "Stalled"
    FAILED = "Failed"


class ConditionType(StrEnum):
    """Condition types in the order in which they are written: kstatus reads the list from the top."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SUCCEEDED = "Succeeded"
    SUSPENDED = "Suspended"
    DATA_PREPARED = "DataPrepared"
    CLUSTER_READY = "ClusterReady"
    CHECKPOINT_SAVED = "CheckpointSaved"
    EXPORTED = "Exported"
    HEALTHY = "Healthy"


class Reason(StrEnum):
    """Every reason a condition or an event may carry."""

    PENDING = "Pending"
    PREPARING = "Preparing"
    QUOTA_PENDING = "QuotaPending"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    TRAINING = "Training"
    STOPPING = "Stopping"
    SUSPENDED = "Suspended"
    BACKING_OFF = "BackingOff"
    RELEASING = "Releasing"
    EXPORTING = "Exporting"
    SUCCEEDED = "Succeeded"

    INVALID_SPEC = "InvalidSpec"
    DATA_INVALID = "DataInvalid"
    MODEL_UNAVAILABLE = "ModelUnavailable"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    VOLUME_UNAVAILABLE = "VolumeUnavailable"
    TRAINING_FAILED = "TrainingFailed"
    PREPARE_FAILED = "PrepareFailed"
    EXPORT_FAILED = "ExportFailed"
    CHECKPOINT_MISMATCH = "CheckpointMismatch"
    KUBERAY_MISSING = "KubeRayMissing"
    PLUGIN_FAILED = "PluginFailed"
    UNSCHEDULABLE = "Unschedulable"
    RESTARTS_EXHAUSTED = "RestartsExhausted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    PODS_STUCK = "PodsStuck"

    CLUSTER_LOST = "ClusterLost"
    TRAINER_CRASHED = "TrainerCrashed"
    OUT_OF_MEMORY = "OutOfMemory"
    NO_PROGRESS = "NoProgress"
    PREEMPTED = "Preempted"
    DRAINED = "Drained"
    REPLACED = "Replaced"

    HEALTHY = "Healthy"

    REWARD_COLLAPSED = "RewardCollapsed"
    KL_TOO_HIGH = "KLTooHigh"
    PARSE_RATE_LOW = "ParseRateLow"
    RESPONSES_TRUNCATED = "ResponsesTruncated"
    ZERO_VARIANCE = "ZeroVariance"
    NOT_LEARNING = "NotLearning"

    DATA_PREPARED = "DataPrepared"
    CLUSTER_READY = "ClusterReady"
    CLUSTER_RELEASED = "ClusterReleased"
    CHECKPOINT_SAVED = "CheckpointSaved"
    NO_CHECKPOINT = "NoCheckpoint"
    EXPORTED = "Exported"
    EXPORT_DISABLED = "ExportDisabled"
    WAITING = "Waiting"
    NOT_SUSPENDED = "NotSuspended"


class ConditionStatus(StrEnum):
    """The three values a condition can have."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"
