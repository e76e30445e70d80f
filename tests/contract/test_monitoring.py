"""Alerts and dashboard against the metrics that the operator has; alerts are also tried on made-up series."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from rrm_api.conditions import Reason, Stage
from rrm_operator import metrics
from rrm_operator.assess.classes import FailureClass, class_of
from rrm_operator.errors import OperatorError
from rrm_operator.telemetry import OTHER
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.promtool import promtool

ROOT = Path(__file__).parents[2]
FILES = ROOT / "charts/rrm-operator/files"
CASES = ROOT / "tests/cases/alerts.yaml"
OPERATIONS = ROOT / "docs/guides/operations.md"

GROUPS = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
PANELS = [it for it in DASHBOARD["panels"] if it["type"] != "row"]

TARGET_LABELS = {"namespace", "job", "pod", "instance"}
"""What a ServiceMonitor adds to every series."""
CLOSED = {
    "stage": set(Stage),
    "reason": {*Reason, OTHER},
    "use": {"training", "idle"},
    "outcome": {"done", "Unexpected", *(it.__name__ for it in OperatorError.__subclasses__())},
}
"""Labels whose values are known."""
GROWTH = {"rate", "irate", "increase"}
GRAFANA = {"$__rate_interval": "5m", "$__range": "6h"}


def ours() -> dict[str, set[str]]:
    """Return the labels of each series of the operator, by its name."""
    found: dict[str, set[str]] = {}
    for metric in (it for it in vars(metrics).values() if isinstance(it, MetricWrapperBase)):
        (family,) = metric.describe()
        labels = set(metric._labelnames)
        match family.type:
            case "counter":
                found[f"{family.name}_total"] = labels
            case "histogram":
                found |= {f"{family.name}_bucket": labels | {"le"}}
                found |= {f"{family.name}_{end}": labels for end in ("sum", "count")}
            case _:
                found[family.name] = labels
    return found


def exported() -> dict[str, set[str]]:
    """Return the same for all that /metrics tells."""
    process = (sample for it in REGISTRY.collect() for sample in it.samples if it.name.startswith("process_"))
    return ours() | {it.name: set(it.labels) for it in process}


SERIES = exported()


def nodes(expression: promql.Expr) -> list[Any]:
    found: list[Any] = []
    promql.walk(expression, lambda node: found.append(node))
    return found


def selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    found = {}
    for node in nodes(expression):
        selector = getattr(node, "vector_selector", node)
        if isinstance(selector, promql.VectorSelector):
            found[str(selector)] = selector
    return list(found.values())


def labels_of(expression: promql.Expr) -> set[str]:
    known = (SERIES.get(it.name or "", set()) for it in selectors(expression))
    return TARGET_LABELS.union(*known)


def unknown_values(matcher: promql.Matcher) -> set[str]:
    if matcher.name not in CLOSED or matcher.value.startswith("$"):
        return set()
    return set(matcher.value.split("|")) - CLOSED[matcher.name]


def faults_of_selector(selector: promql.VectorSelector) -> Iterator[str]:
    if selector.name not in SERIES:
        yield f"no metric {selector.name}"
        return
    for matcher in selector.matchers.matchers:
        if matcher.name not in SERIES[selector.name] | TARGET_LABELS:
            yield f"{selector.name} has no label {matcher.name}"
        yield from (f"{matcher.name} is never {value}" for value in sorted(unknown_values(matcher)))


def named_labels(node: Any) -> set[str]:
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql.BinaryExpr) and modifier is not None:
        matching = modifier.matching.labels if modifier.matching is not None else []
        return {*matching, *(modifier.group_labels or [])}
    return set(modifier.labels) if modifier is not None else set()


def faults(text: str) -> list[str]:
    """Return what is wrong with an expression, compared with the metrics that exist."""
    for variable, value in GRAFANA.items():
        text = text.replace(variable, value)
    try:
        expression = promql.parse(text)
    except ValueError as error:
        return [f"no PromQL: {error}"]
    found = [fault for it in selectors(expression) for fault in faults_of_selector(it)]
    for node in nodes(expression):
        found += [f"no {label} to group by" for label in sorted(named_labels(node) - labels_of(node))]
        if isinstance(node, promql.Call):
            found += list(faults_of_call(node))
    return found


def faults_of_call(call: promql.Call) -> Iterator[str]:
    for selector in (it.vector_selector for it in call.args if isinstance(it, promql.MatrixSelector)):
        grows = (selector.name or "").endswith(("_total", "_bucket", "_sum", "_count"))
        if grows != (call.func.name in GROWTH):
            yield f"{call.func.name} of {selector.name}, which is {'a' if grows else 'no'} counter"


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        pytest.param("sum(rrm_leaders)", "no metric rrm_leaders", id="a metric that was renamed"),
        pytest.param("rrm_restarts", "no metric rrm_restarts", id="a counter without its ending"),
        pytest.param(
            "rrm_leader{stage='x'}", "rrm_leader has no label stage", id="a label of another metric"
        ),
        pytest.param("rrm_stage_trainings{stage='Lost'}", "stage is never Lost", id="a stage that is none"),
        pytest.param(
            "rrm_reconciles_total{outcome!~'done|Busy'}", "outcome is never Busy", id="an unknown outcome"
        ),
        pytest.param(
            "sum by (name) (rrm_leader)", "no name to group by", id="a grouping by what is not there"
        ),
        pytest.param(
            "rrm_leader * on (stage) rrm_trainings", "no stage to group by", id="a join by what is not there"
        ),
        pytest.param(
            "rate(rrm_leader[5m])", "rate of rrm_leader, which is no counter", id="the rate of a gauge"
        ),
        pytest.param(
            "max_over_time(rrm_ghosts_total[5m])",
            "max_over_time of rrm_ghosts_total, which is a counter",
            id="the height of a counter",
        ),
        pytest.param("sum(rrm_leader", "no PromQL", id="a missing bracket"),
    ],
)
def test_the_check_knows(expression: str, fault: str) -> None:
    assert [it for it in faults(expression) if it.startswith(fault)]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda it: it["alert"])
def test_an_alert_asks_only_for_what_exists(alert: dict[str, Any]) -> None:
    assert faults(alert["expr"]) == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda it: it["title"])
def test_a_panel_asks_only_for_what_exists(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    assert {it["expr"]: found for it in panel["targets"] if (found := faults(it["expr"]))} == {}


def test_the_choices_of_the_dashboard_are_labels_of_its_metrics() -> None:
    asked = [it["definition"] for it in DASHBOARD["templating"]["list"] if it["type"] == "query"]
    for definition in asked:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
        assert found is not None, definition
        assert faults(f"sum by ({found[2]}) ({found[1]})") == []


def test_the_dashboard_shows_every_metric_of_the_operator() -> None:
    asked = [target["expr"] for panel in PANELS for target in panel["targets"]]
    shown = {word for text in asked for word in re.findall(r"\brrm_\w+", text)}
    families = {re.sub("_(bucket|sum|count)$", "", it) for it in ours()}
    assert families - {re.sub("_(bucket|sum|count)$", "", it) for it in shown} == set()


def test_panels_have_names_of_their_own_and_do_not_lie_upon_each_other() -> None:
    panels = DASHBOARD["panels"]
    assert len({it["id"] for it in panels}) == len({it["title"] for it in panels}) == len(panels)
    for one, other in combinations([it["gridPos"] for it in panels], 2):
        across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        down = one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
        assert not (across and down), (one, other)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda it: it["alert"])
def test_an_alert_says_how_bad_it_is_what_is_so_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = re.findall("^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
    assert anchor in [it.lower().replace(" ", "-") for it in headings]


def test_every_alert_is_explained_with_its_severity_and_no_other_is() -> None:
    rows = re.findall(r"^\| `(RRM\w+)` \| (\w+) \|", OPERATIONS.read_text(encoding="utf-8"), flags=re.M)
    assert rows == [(it["alert"], it["labels"]["severity"]) for it in ALERTS]


def test_restarts_alert_on_the_reasons_that_count_against_the_limit() -> None:
    counted = {FailureClass.INFRASTRUCTURE, FailureClass.MEMORY, FailureClass.STALL}
    (alert,) = (it for it in ALERTS if it["alert"] == "RRMRestartsFrequent")
    (selector,) = selectors(promql.parse(alert["expr"]))
    (matcher,) = selector.matchers.matchers
    assert set(matcher.value.split("|")) == {it.value for it in Reason if class_of(it) in counted}


def test_every_alert_is_tried_where_it_fires_and_where_it_must_not() -> None:
    tried = [it for group in yaml.safe_load(CASES.read_text())["tests"] for it in group["alert_rule_test"]]
    expected = {it["alert"] for it in ALERTS}
    assert {it["alertname"] for it in tried if it["exp_alerts"]} == expected
    assert {it["alertname"] for it in tried if not it["exp_alerts"]} == expected


@pytest.mark.api
def test_alerts_fire_on_made_up_series_as_prometheus_evaluates_them() -> None:
    try:
        command = [str(promtool()), "test", "rules", str(CASES)]
    except ClusterError as error:
        pytest.skip(str(error))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
