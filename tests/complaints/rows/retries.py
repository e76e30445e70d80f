"""Group c: retry, resume, checkpoints."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        33,
        ("kuberay#669",),
        "try again when a node is lost",
        seen_red="assess/wanted.py: pods of a kept RayCluster not looked at",
    ),
    Complaint(
        34,
        ("kuberay#1902",),
        "survive the upgrade of a node pool",
        seen_red="assess/classes.py: a drain counted against the restarts",
    ),
    Complaint(
        35,
        ("kuberay#2155",),
        "the retried job starts from scratch; which checkpoint is the latest?",
        seen_red="rrm/train/overrides/shared.py: `resume_mode: auto`",
    ),
    Complaint(
        36,
        ("kuberay#2479",),
        "the job's state is lost with its cluster",
        seen_red="assess/attempts.py: the last step of an attempt not kept",
    ),
    Complaint(
        37,
        ("kuberay#4971", "kuberay PR#4972"),
        "try again on the same cluster",
        seen_red="assess/wanted.py: a new RayCluster for each attempt",
    ),
    Complaint(
        38,
        ("kuberay#5211",),
        "let me forbid recreation, and tell me the number of the attempt",
        seen_red="assess/consequences.py: one restart more than allowed",
    ),
    Complaint(
        39,
        ("kuberay#4025",),
        "fault tolerance of the GCS is useless when the cluster is recreated",
        remark="We offer none: an attempt is made cheap instead.",
        seen_red="plan/ray_cluster.py: KubeRay may restart the head",
    ),
    Complaint(
        40,
        ("trainer#2185", "trainer#2269", "trainer#2000"),
        "one pod dies: restart all ranks together, on healthy nodes",
        seen_red="assess/stage_ends.py: pods that still leave not waited for",
    ),
    Complaint(
        41,
        ("trainer#3779", "trainer#3737"),
        "it starts again after its TTL, with a whole budget",
        seen_red="assess/deadlines.py: no TTL",
    ),
    Complaint(
        42,
        ("verl#7401", "verl PR#5725", "verl PR#7974"),
        "resumed at an epoch's boundary it exits with 0, untrained",
        seen_red="assess/situation.py: the last checkpoint's step not compared",
    ),
    Complaint(
        43,
        ("verl#1446", "verl#1425", "verl#3792"),
        "keep the best checkpoint, not only the last",
        seen_red="rrm/train/checkpoints.py: the best not kept",
    ),
    Complaint(
        44,
        ("verl#5892",),
        "the resume dies of memory while it loads",
        remark="That loading fits is verl's; that it is told, and not tried without end, is ours.",
        seen_red="assess/consequences.py: memory treated as any crash",
    ),
    Complaint(
        45, ("verl#519",), "saving hangs", seen_red="assess/looks.py: no look asked for at the stall deadline"
    ),
    Complaint(
        46,
        ("RL#2519",),
        "changed data and an old loader state skip samples silently",
        seen_red="rrm/data/identity.py: another identity taken beside old checkpoints",
    ),
    Complaint(
        47,
        ("ray#62340",),
        "the head does not come back after it ran out of memory",
        seen_red="assess/endings.py: an ended head pod taken for a living one",
    ),
)
