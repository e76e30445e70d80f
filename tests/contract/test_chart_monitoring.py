"""What the chart installs for Prometheus and Grafana, once it is switched on."""

import json

import pytest
import yaml

from tests.contract.rendered_chart import CHART, named, only, render

pytestmark = pytest.mark.api


MONITORS = ("serviceMonitor", "prometheusRule", "dashboard")


MONITORING = tuple(f"metrics.{it}.enabled=true" for it in MONITORS)


def test_monitoring_is_off_until_it_is_switched_on() -> None:
    kinds = {document["kind"] for document in render()}
    assert kinds.isdisjoint({"Service", "ServiceMonitor", "PrometheusRule", "ConfigMap"})


def test_the_service_monitor_finds_the_metrics_of_every_replica() -> None:
    documents = render("metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.interval=15s")
    monitor, service = only(documents, "ServiceMonitor"), only(documents, "Service")
    spec = monitor["spec"]
    assert spec["namespaceSelector"] == {"matchNames": [service["metadata"]["namespace"]]}
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["metadata"]["labels"][spec["jobLabel"]] == "rrm-operator"
    (endpoint,), (port,) = spec["endpoints"], service["spec"]["ports"]
    assert endpoint == {"port": port["name"], "path": "/metrics", "honorLabels": True, "interval": "15s"}
    template = only(documents, "Deployment")["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert port["targetPort"] in {it["name"] for it in template["spec"]["containers"][0]["ports"]}


def test_the_alerts_are_those_of_the_file_with_the_link_that_is_asked_for() -> None:
    alerts = (CHART / "files" / "alerts.yaml").read_text()
    on = "metrics.prometheusRule.enabled=true"
    assert only(render(on), "PrometheusRule")["spec"] == yaml.safe_load(alerts)
    link = "https://wiki.example.com/rrm"
    moved = render(on, f"metrics.prometheusRule.runbookUrl={link}")
    expected = yaml.safe_load(alerts.replace("docs/guides/operations.md", link))
    assert only(moved, "PrometheusRule")["spec"] == expected


def test_the_dashboard_is_that_of_the_file_where_the_sidecar_finds_it() -> None:
    config_map = named(render(*MONITORING), "ConfigMap", "rrm-dashboard")
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    ((name, text),) = config_map["data"].items()
    assert name == "system-rrm.json"
    assert json.loads(text) == json.loads((CHART / "files" / "dashboard.json").read_text())


def test_what_monitors_goes_where_it_is_asked_for_and_carries_the_labels_that_are_asked_for() -> None:
    asked = [
        f"metrics.{it}.{what}" for it in MONITORS for what in ("namespace=monitoring", "labels.release=kps")
    ]
    documents = render(*MONITORING, *asked)
    for kind, name in (("ServiceMonitor", "rrm"), ("PrometheusRule", "rrm"), ("ConfigMap", "rrm-dashboard")):
        metadata = named(documents, kind, name)["metadata"]
        assert metadata["namespace"] == "monitoring"
        assert metadata["labels"]["release"] == "kps"
        assert metadata["labels"]["app.kubernetes.io/instance"] == "rrm"
    assert named(documents, "Service", "rrm-metrics")["metadata"]["namespace"] == "system"
