"""Group f: GitOps, Helm, security, TTL."""

from typing import Final

from tests.complaints.complaint import Complaint

ROWS: Final = (
    Complaint(
        76,
        ("kuberay#4149",),
        "Argo CD and the autoscaler fight over `replicas`",
        seen_red="plan/ray_cluster.py: minReplicas 0",
    ),
    Complaint(
        77,
        ("operate-first/support#1189", "kuberay#271", "kuberay#1182"),
        "CRDs too big for `kubectl apply`",
    ),
    Complaint(78, ("kuberay#672",), "Helm does not upgrade the CRDs"),
    Complaint(
        79,
        ("kuberay#1944",),
        "delete the object itself after a while",
        remark="Jobs and pods go; the training stays on purpose, since Git would create it anew.",
        seen_red="assess/deadlines.py: no TTL",
    ),
    Complaint(
        80,
        ("kuberay#4115", "kuberay#263"),
        "the dashboard is open to all: remote code execution",
        remark="Token and policy are shown; that a network plug-in enforces the policy is not.",
        seen_red="plan/ray_cluster.py: token authentication off",
    ),
    Complaint(
        81,
        ("kuberay PR#4520",),
        "the role reads all secrets",
        seen_red="rules.yaml: the right to list secrets granted",
    ),
    Complaint(
        82,
        ("trainer#3429", "trainer#3430"),
        "dashboards and a ServiceMonitor",
        remark="Compared with the metrics that exist; Grafana and the Prometheus operator are not run.",
        seen_red="the chart: the dashboard left out",
    ),
    Complaint(
        83,
        ("trainer#2779",),
        "progress in the status without more rights",
        seen_red="plan/progress_access.py: another ConfigMap in the trainer's Role",
    ),
)
