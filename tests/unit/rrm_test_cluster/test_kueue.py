from pathlib import Path

import yaml

from rrm_test_cluster.kueue import NAMESPACE, configuration_of, webhook_objects

MANIFESTS = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: mutating-webhook-configuration}
webhooks:
- name: mpod.kb.io
  clientConfig: {service: {name: webhook-service, namespace: system, path: /mutate--v1-pod}}
  rules: [{apiGroups: [""], resources: [pods]}]
- name: mraycluster.kb.io
  failurePolicy: Fail
  clientConfig: {service: {name: webhook-service, namespace: system, path: /mutate-ray-io-v1-raycluster}}
  rules: [{apiGroups: [ray.io], resources: [rayclusters]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: validating-webhook-configuration}
webhooks: []
"""


def test_only_webhooks_of_queues_and_ray_are_installed_so_that_pods_never_wait_for_kueue() -> None:
    [mutating, validating] = webhook_objects(MANIFESTS, port=4711)

    [webhook] = mutating["webhooks"]
    assert (webhook["name"], webhook["failurePolicy"]) == ("mraycluster.kb.io", "Fail")
    assert validating["webhooks"] == []


def test_the_api_server_is_led_to_the_port_where_kueue_listens() -> None:
    [mutating, _] = webhook_objects(MANIFESTS, port=4711)

    [webhook] = mutating["webhooks"]
    assert webhook["clientConfig"]["service"] == {
        "name": "kueue-webhook-service",
        "namespace": NAMESPACE,
        "path": "/mutate-ray-io-v1-raycluster",
        "port": 4711,
    }


def test_the_configurations_have_the_names_under_which_kueue_looks_for_them() -> None:
    names = [it["metadata"]["name"] for it in webhook_objects(MANIFESTS, port=1)]

    assert names == ["kueue-mutating-webhook-configuration", "kueue-validating-webhook-configuration"]


def test_kueue_listens_on_the_loopback_address_only_and_manages_ray_clusters_only() -> None:
    made = configuration_of(Path("/c/kueue/certificates"), 4711, health=4712)

    assert made["webhook"] == {"host": "127.0.0.1", "port": 4711, "certDir": "/c/kueue/certificates"}
    assert made["health"] == {"healthProbeBindAddress": "127.0.0.1:4712"}
    assert made["metrics"] == {"bindAddress": "0"}
    assert made["integrations"] == {"frameworks": ["ray.io/raycluster"]}
    assert yaml.safe_load(yaml.safe_dump(made)) == made
