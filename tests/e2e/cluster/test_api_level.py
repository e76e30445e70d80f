"""Level API: schemas, rights and admission answer as anywhere."""

import os

import pytest

from rrm_test_cluster import Cluster, CommandFailed
from rrm_test_cluster.client import Client
from rrm_test_cluster.tools import KUBERNETES

pytestmark = pytest.mark.api


def _namespace(cluster: Cluster, name: str, labels: dict[str, str] | None = None) -> str:
    cluster.create_namespace(name, labels)
    return name


def test_it_is_the_pinned_kubernetes(api_cluster: Cluster) -> None:
    assert f"Server Version: v{KUBERNETES}" in api_cluster.kubectl("version")


def test_a_service_account_acts_with_its_own_rights_only(api_cluster: Cluster) -> None:
    namespace = _namespace(api_cluster, "rights")
    api_cluster.kubectl("create", "role", "reader", "-n", namespace, "--verb=list", "--resource=configmaps")
    binding = ("--role=reader", f"--serviceaccount={namespace}:default")
    api_cluster.kubectl("create", "rolebinding", "reader", "-n", namespace, *binding)

    kubeconfig = api_cluster.service_account_kubeconfig(namespace, "default")
    reader = Client(api_cluster.client.tools, kubeconfig)

    assert "kind: List" in reader.kubectl("get", "configmaps", "-n", namespace, "-o", "yaml")
    with pytest.raises(
        CommandFailed, match=r"system:serviceaccount:rights:default.*cannot list resource .secrets."
    ):
        reader.kubectl("get", "secrets", "-n", namespace)


def test_a_restricted_namespace_refuses_a_pod_that_is_not(api_cluster: Cluster) -> None:
    namespace = _namespace(api_cluster, "restricted", {"pod-security.kubernetes.io/enforce": "restricted"})
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "x", "securityContext": {"runAsUser": 0}}]},
    }

    with pytest.raises(CommandFailed, match="violates PodSecurity"):
        api_cluster.apply(pod)


def test_a_validating_admission_policy_is_evaluated(api_cluster: Cluster) -> None:
    namespace = _namespace(api_cluster, "policies")
    rules = [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    ]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-evil"},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "object.metadata.name != 'evil'", "message": "no evil here"}],
        },
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-evil"},
        "spec": {
            "policyName": "no-evil",
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        },
    }
    api_cluster.apply(policy, binding)

    def create_until_refused() -> None:
        # A new policy takes a moment to be compiled.
        for _ in range(100):
            api_cluster.kubectl("create", "configmap", "evil", "-n", namespace)
            api_cluster.kubectl("delete", "configmap", "evil", "-n", namespace)

    with pytest.raises(CommandFailed, match="no evil here"):
        create_until_refused()


def test_helm_talks_to_it(api_cluster: Cluster) -> None:
    assert "NAME" in api_cluster.helm("list")


def test_every_daemon_has_its_log(api_cluster: Cluster) -> None:
    assert {"etcd.log", "kube-apiserver.log"} <= set(os.listdir(api_cluster.logs))
