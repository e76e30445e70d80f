"""Group g: kopf and operators written in Python."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        84,
        ("kopf#585", "kopf#955", "kopf#957", "kopf#614", "kopf#1094", "kopf-old#232"),
        "a watch falls silent after hours, liveness stays green",
        seen_red="supervisor.py: a silent watch left as it is",
    ),
    Complaint(
        85,
        ("dask-kubernetes#620", "crate-operator PR#96"),
        "the same; cured by time limits",
        seen_red="watching.py: no client timeout of watches",
    ),
    Complaint(
        86,
        ("kopf#698", "kopf PR#844", "kopf PR#732", "kopf#729", "kopf#784"),
        "handled twice or not at all, on a stale view after an own patch",
        seen_red="report.py: status written whatever its version",
    ),
    Complaint(
        87,
        ("kopf#787",),
        "a watch dies and is not started again",
        seen_red="supervisor.py: watches started once only",
    ),
    Complaint(
        88,
        ("kopf#734", "kopf-old#51"),
        "two peers of one priority freeze each other",
        impossible="kopf's peering is switched off (`watching.py`: `standalone=True`); a Lease "
        "decides who acts.",
        seen_red="watching.py: peering on",
    ),
    Complaint(
        89,
        ("kopf#1087",),
        "the annotation of the last handled state exceeds its limit",
        impossible="Nothing is written into a training: kopf's storages are ours and keep nothing "
        "(`watching.py`), and the chart grants only list, watch and the status.",
        seen_red="rules.yaml: the right to patch trainings granted",
    ),
    Complaint(
        90,
        ("kopf#833", "kopf#1001", "kopf#797", "kopf-old#75", "kopf-old#24"),
        "the finalizer of an operator that is gone blocks the namespace",
        impossible="No finalizer is set: children go by owner references, and no handler of those "
        "kopf kinds that set one (daemons, timers, change handlers) is registered (`handlers.py`).",
        seen_red="plan/names.py: a finalizer on each child",
    ),
    Complaint(91, ("kopf#990",), "there is no endpoint for metrics", seen_red="health.py: no /metrics"),
    Complaint(
        92,
        ("dask-kubernetes#810",),
        "a dead handler is tried 40,000 times",
        seen_red="handlers.py: a delay that does not grow",
    ),
    Complaint(
        93,
        ("dask-kubernetes#603", "dask-kubernetes#606"),
        "what is lost is never made again",
        seen_red="store.py: ghosts not evicted",
    ),
    Complaint(
        94,
        ("kopf#1266", "kopf#673"),
        "paused replicas still act",
        seen_red="lease.py: a holder that is cut off never gives up",
    ),
    Complaint(
        95,
        ("kopf-old#248", "kopf-old#239"),
        "stalls without an API server; takes 45 s to stop",
        seen_red="work_queue.py: looks waited for without end",
    ),
)
