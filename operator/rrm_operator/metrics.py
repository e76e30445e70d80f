"""Every metric of the operator, in one place; labels are bounded (no names of trainings)."""

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
QUEUE_LENGTH: Final = Gauge("rrm_queue_length", "Trainings that wait for their next look")
TRAININGS: Final = Gauge("rrm_trainings", "Trainings that exist")
