"""Group a: status that is false, stuck or contradicts itself."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        1,
        ("kuberay#2314",),
        "two status fields say opposite things; which one is true?",
        seen_red="assess/progress.py: status.cluster kept after the RayCluster went",
    ),
    Complaint(
        2,
        ("kuberay#3903",),
        "the head restarted and the job is Running for ever; half of my jobs",
        seen_red="assess/endings.py: a job that Ray has forgotten counted as running",
    ),
    Complaint(
        3,
        ("kuberay#3860",),
        "the head was evicted and the cluster stays",
        seen_red="assess/endings.py: an ended head pod taken for a living one",
    ),
    Complaint(
        4,
        ("kuberay#1489",),
        "the head was pre-empted and the job hangs",
        seen_red="assess/endings.py: a head that is being deleted taken for a living one",
    ),
    Complaint(
        5,
        ("kuberay#2161",),
        "fail when the head runs out of memory, do not let GPUs linger",
        seen_red="assess/endings.py: an ended head pod taken for a living one",
    ),
    Complaint(
        6,
        ("kuberay#2154",),
        "the submitter pod was deleted and the job counts as Running",
        impossible="There is no submitter: the operator asks Ray's job API (`ray_jobs.py`), and the "
        "trainer's parent process on the head records the end.",
        seen_red="assess/situation.py: the trainer's record not believed",
    ),
    Complaint(
        7,
        ("kuberay#3553",),
        "the Ray job failed, yet the next one gets no quota",
        seen_red="plan/__init__.py: nothing deleted while releasing",
    ),
    Complaint(
        8,
        ("kuberay#2359",),
        "the log stream is stuck at the end and nothing is recycled",
        seen_red="assess/situation.py: the trainer's record not believed",
    ),
    Complaint(
        9,
        ("kuberay#1990",),
        "a wrong image is waited for without end",
        seen_red="assess/looks.py: no look asked for at the startup deadline",
    ),
    Complaint(
        10,
        ("kuberay#2781", "kuberay#845"),
        "stuck in Initializing: how do you debug this?",
        seen_red="assess/pod_troubles.py: what a container waits for not lifted",
    ),
    Complaint(
        11,
        ("kuberay#4178", "kuberay PR#4191"),
        "Initializing hides the cluster's own error",
        seen_red="assess/stage.py: the RayCluster's ReplicaFailure not lifted",
    ),
    Complaint(
        12,
        ("kuberay#2182", "kuberay#4846"),
        "an exceeded quota is not told, so no fallback",
        seen_red="assess/stage.py: the RayCluster's ReplicaFailure not lifted",
    ),
    Complaint(
        13,
        ("kuberay#1991",),
        "too few resources: warnings for hours, no end",
        seen_red="assess/endings.py: no startup deadline",
    ),
    Complaint(
        14,
        ("kuberay#4199",),
        "the job was sent before the workers were ready",
        seen_red="assess/wanted.py: ready without all workers",
    ),
    Complaint(
        15,
        ("kuberay#5152",),
        "RayJob needs conditions",
        seen_red="assess/conditions.py: no condition Suspended",
    ),
    Complaint(
        16,
        ("kuberay#4042",),
        "observedGeneration is never set",
        seen_red="assess/conditions.py: the conditions' generation kept from before",
    ),
    Complaint(
        17,
        ("trainer#2713",),
        "pending and running cannot be told apart",
        seen_red="assess/conditions.py: Ready also while it waits",
    ),
    Complaint(
        18,
        ("sdk#803",),
        "a resumed job is reported as Created",
        seen_red="assess/situation.py: only the first attempt's progress read",
    ),
    Complaint(
        19,
        ("dask-kubernetes#968",),
        "Pending for ever by a race of two events",
        seen_red="store.py: children dropped that come before their training",
    ),
    Complaint(
        20,
        ("dask-kubernetes#655",),
        "an invalid spec hangs instead of failing",
        seen_red="parse.py: the faults of a spec not named",
    ),
)
