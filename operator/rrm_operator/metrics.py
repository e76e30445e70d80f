"""Every metric of the operator, in one place.

Labels are bounded: by closed lists, and for names of trainings by `telemetry.MAX_SERIES`.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RECONCILES: Final = Counter("rrm_reconciles_total", "Looks at a training, by outcome", ["outcome"])
RECONCILE_SECONDS: Final = Histogram(
    "rrm_reconcile_seconds",
    "Duration of one look at a training",
    buckets=(0.005, 0.02, 0.1, 0.5, 2.0, 10.0),
)
API_REQUESTS: Final = Counter(
    "rrm_api_requests_total", "Requests to the API server, watches not counted", ["method", "status"]
)
RAY_REQUESTS: Final = Counter("rrm_ray_requests_total", "Requests to Ray job APIs", ["method", "status"])
EVENTS: Final = Counter("rrm_watch_events_total", "Watch events taken in, by kind", ["kind"])
GHOSTS: Final = Counter("rrm_ghosts_total", "Objects that vanished without a watch event, by kind", ["kind"])
KOPF_STARTS: Final = Counter("rrm_watch_starts_total", "Starts of the watching part")
NAMESPACES_REFUSED: Final = Gauge(
    "rrm_namespaces_refused", "Listed namespaces that are left out since they grant the operator no rights"
)
ECHO_SECONDS: Final = Gauge(
    "rrm_watch_echo_age_seconds", "Age of the oldest own write that its watch has not told of yet"
)
QUEUE_LENGTH: Final = Gauge("rrm_queue_length", "Trainings that wait for their next look")
QUEUE_WAIT_SECONDS: Final = Histogram(
    "rrm_queue_wait_seconds",
    "How much later than asked for a look begins",
    buckets=(0.01, 0.05, 0.2, 1.0, 5.0, 20.0, 60.0),
)
LEADER: Final = Gauge("rrm_leader", "1 in the process that works, 0 in those that stand by")
LEASE_FAILURES: Final = Counter("rrm_lease_renewal_failures_total", "Renewals of the lease that failed")

TRAININGS: Final = Gauge("rrm_trainings", "Trainings that exist")
STAGE: Final = Gauge("rrm_stage_trainings", "Trainings that exist, by stage", ["stage"])
UNHEALTHY: Final = Gauge(
    "rrm_unhealthy_trainings",
    "Trainings that have neither ended nor been suspended and whose Healthy is False, by reason",
    ["reason"],
)
STAGE_SECONDS: Final = Histogram(
    "rrm_stage_seconds",
    "Time spent in a stage, by the stage that was left; only of stages that this process saw begin",
    ["stage"],
    buckets=(1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600),
)
ATTEMPTS_ENDED: Final = Counter("rrm_attempts_ended_total", "Attempts that ended, by reason", ["reason"])
RESTARTS: Final = Counter(
    "rrm_restarts_total", "Attempts after the first, by the reason that ended the one before", ["reason"]
)
GPUS: Final = Gauge("rrm_gpus_held", "GPUs that trainings hold now, by use: training or idle", ["use"])
for _use in ("training", "idle"):  # A zero of those that stand by, too: what is not told cannot be averaged.
    GPUS.labels(_use)
GPU_SECONDS_HELD: Final = Counter("rrm_gpu_seconds_held_total", "GPU seconds that trainings have held")
GPU_SECONDS_TRAINED: Final = Counter("rrm_gpu_seconds_trained_total", "Of these, those that were trained in")
GPU_SECONDS_WASTED: Final = Counter("rrm_gpu_seconds_wasted_total", "Of these, all others")

_ONE: Final = ["namespace", "name"]
TRAINING_STEP: Final = Gauge("rrm_training_step", "Optimizer steps done", _ONE)
TRAINING_STEPS: Final = Gauge("rrm_training_planned_steps", "Optimizer steps planned", _ONE)
TRAINING_GPUS: Final = Gauge("rrm_training_gpus_held", "GPUs that the training holds now", _ONE)
TRAINING_REWARD: Final = Gauge("rrm_training_reward", "Mean reward of the last step", _ONE)
TRAININGS_UNLABELLED: Final = Gauge(
    "rrm_trainings_without_series", "Trainings with progress or GPUs whose series are left out: too many"
)
