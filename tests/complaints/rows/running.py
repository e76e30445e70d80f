"""Group d: memory, NCCL, hangs, idle GPUs."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        48,
        ("kuberay#4287", "kuberay#4356"),
        "the head of the sample is killed for its memory",
        seen_red="plan/ray_cluster.py: CPUs counted on the head",
    ),
    Complaint(
        49,
        ("kuberay#685",),
        "the operator itself is killed for its memory",
        remark="Its resident memory is measured with `make bench`.",
        seen_red="store.py: manifests kept in the store",
    ),
    Complaint(
        50,
        ("kuberay#3909",),
        "slow at scale, one object after the other",
        remark="How fast it is, is measured with `make bench`.",
        seen_red="settings.py: one worker",
    ),
    Complaint(
        51,
        ("verl#1964", "verl#4995", "verl#5206", "verl#429", "verl#5183", "verl#831"),
        "out of memory at a save or after many steps",
        remark="It can still happen; it is named, tried once more and then told with the knobs.",
        seen_red="assess/classes.py: CUDA's words for memory unknown",
    ),
    Complaint(
        52,
        ("verl#2995", "verl#1512", "verl#726", "verl#108", "verl#1309", "verl#597"),
        "NCCL's watchdog kills the run",
        remark="The crash is played by its last words: no NCCL here.",
        seen_red="assess/classes.py: every crash the user's fault",
    ),
    Complaint(
        53,
        ("verl#7180", "verl#3464", "verl#2705", "verl#1815", "verl#1303", "verl#12"),
        "a silent hang: processes alive, GPUs idle",
        seen_red="assess/stopping.py: no stall deadline",
    ),
    Complaint(
        54,
        ("verl#242", "verl#4879"),
        "the start on many nodes hangs",
        seen_red="assess/deadlines.py: no deadline for the first step",
    ),
    Complaint(
        55,
        ("verl#2600",),
        "the GPU hangs after out of memory, and its pod does not leave",
        remark="Only what we do about the pod; a driver that hangs cannot be had here.",
        seen_red="assess/stage_ends.py: pods that are stuck not told",
    ),
    Complaint(
        56,
        ("verl#278",),
        "how does one run on many nodes?",
        seen_red="plan/ray_cluster.py: maxReplicas left to KubeRay",
    ),
    Complaint(
        57,
        ("OpenRLHF#1013", "OpenRLHF#1065", "EasyR1#50", "EasyR1#185"),
        "Ray kills tasks for the memory of the host",
        remark="Named, tried once more and told; that memory grows is the trainer's.",
        seen_red="assess/classes.py: Ray's words for memory unknown",
    ),
    Complaint(
        58,
        ("vllm#42075",),
        "without its InfiniBand device NCCL takes TCP and says nothing",
        anchor="NCCL's choice is in a debug log that nobody switches on.",
        untestable="It takes InfiniBand hardware. Nor do we detect it: the operator measures no bandwidth "
        "before a run.",
    ),
    Complaint(
        59,
        ("nccl#525",),
        "shared memory is too small",
        seen_red="plan/ray_cluster.py: the size of the spec not read",
    ),
    Complaint(
        60,
        ("kuberay#1414",),
        "init containers that need a GPU",
        seen_red="plan/pod.py: the spec's pod template not read",
    ),
)
