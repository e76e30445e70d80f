"""Group e: storage, logs, scheduling."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        61,
        ("kuberay#59",),
        "make the volume claim for me",
        seen_red="plan/checkpoints.py: the claim owned by its training",
    ),
    Complaint(
        62,
        ("kuberay#3421",),
        "one claim for each worker",
        remark="By an ephemeral volume of `workers.podTemplate`; checkpoints stay on the one shared claim.",
        seen_red="plan/pod.py: the spec's pod template not read",
    ),
    Complaint(
        63,
        ("kuberay#3839",),
        "volume claim templates",
        seen_red="plan/checkpoints.py: the storage class not read",
    ),
    Complaint(
        64,
        ("kuberay#1753", "kuberay#1087"),
        "how do pods share storage?",
        seen_red="plan/pod.py: a claim for each role",
    ),
    Complaint(
        65,
        ("codeflare-sdk#774",),
        "let me pass names of claims",
        seen_red="plan/checkpoints.py: the named claim not read",
    ),
    Complaint(
        66,
        ("kuberay#1047", "kuberay#4063", "ray#44561", "ray#46837"),
        "logs are gone after the head's restart or a scale-down",
        seen_red="rrm/train/attempt.py: the log in the pod",
    ),
    Complaint(
        67,
        ("kuberay#1975",),
        "the last lines of the log are missing",
        seen_red="rrm/train/log.py: lines without an end dropped",
    ),
    Complaint(
        68,
        ("kuberay#3884", "kuberay#3966", "kuberay#1374", "kuberay#4817"),
        "keep the logs, or ship them",
        remark="Kept on the claim; shipping them elsewhere is left to the cluster.",
        seen_red="crds/rrm_api/layout.py: one folder for all attempts",
    ),
    Complaint(
        69,
        ("kuberay#4066",),
        "the gang is not respected: half a cluster holds GPUs",
        remark="The labels for Volcano and YuniKorn; whether those keep the gang is theirs. KAI is "
        "not offered.",
        seen_red="plan/scheduling.py: no label for Volcano; another name for YuniKorn's queue",
    ),
    Complaint(
        70,
        ("kuberay PR#5200", "kuberay PR#4940"),
        "quota is kept while suspended",
        seen_red="assess/stage.py: no stage Suspended",
    ),
    Complaint(
        71,
        ("kueue#1146",),
        "a pre-empted job does not go on",
        seen_red="assess/wanted.py: the RayCluster released when pre-empted",
    ),
    Complaint(
        72,
        ("kueue#15980",),
        "quota is given away while pods still run",
        remark="Our part: no attempt starts beside pods of an older one. The accounting is Kueue's.",
        seen_red="assess/stage_ends.py: pods without a RayCluster not waited for",
    ),
    Complaint(
        73,
        ("kueue PR#6788",),
        "under MultiKueue a suspended job keeps its quota",
        anchor="The copy in the other cluster was left as it was.",
        untestable="MultiKueue is not offered: RayClusters stay in the training's cluster.",
    ),
    Complaint(
        74,
        ("kueue#1149", "kueue#1844", "kueue#3199"),
        "quota and size limits with Ray",
        seen_red="assess/deadlines.py: the startup deadline runs while queued",
    ),
    Complaint(
        75,
        ("kuberay#5004", "kuberay PR#5005"),
        "drained in the middle of a step",
        seen_red="plan/disruption.py: a budget that lets one pod go",
    ),
)
