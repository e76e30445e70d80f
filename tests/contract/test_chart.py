"""The chart against its neighbours: the operator's settings and rights, Pod Security "restricted", Helm."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from rrm_operator.settings import Settings
from rrm_test_cluster.tools import KUBERNETES
from tests.contract.rendered_chart import CHART, Manifest, helm, only, render

# Not for an administrator to choose: the chart itself places the keys, the port and the namespace.
PLACED_BY_THE_CHART = {"keys_folder", "http_port", "http_address", "operator_namespace", "lease_name"}


# Helm comes with the server binaries (make cluster-tools).
pytestmark = pytest.mark.api


def roles(documents: list[Manifest], namespace: str | None = None) -> list[Manifest]:
    found = (document for document in documents if document["kind"] == "Role")
    return [it for it in found if namespace in (None, it["metadata"]["namespace"])]


def camel(name: str) -> str:
    return re.sub("_(.)", lambda match: match[1].upper(), name)


@pytest.fixture(scope="module")
def values() -> Manifest:
    loaded: Manifest = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def rules() -> dict[str, list[Manifest]]:
    loaded: dict[str, list[Manifest]] = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def pod() -> Manifest:
    spec: Manifest = only(render(), "Deployment")["spec"]["template"]["spec"]
    return spec


def test_helm_lint_finds_nothing() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_every_setting_of_the_operator_is_a_value_and_no_other_is(values: Manifest) -> None:
    expected = {camel(name) for name in set(Settings.model_fields) - PLACED_BY_THE_CHART}
    assert set(values["settings"]) == expected


def test_the_operator_reads_the_rendered_settings_as_its_own_defaults(
    values: Manifest, pod: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults are written twice, for readers of the chart and of the code: they must say the same."""
    for entry in pod["containers"][0]["env"]:
        monkeypatch.setenv(entry["name"], entry.get("value", "system"))
    read = Settings()
    default = Settings.model_construct(default_image=values["settings"]["defaultImage"])
    for name in set(Settings.model_fields) - PLACED_BY_THE_CHART:
        assert getattr(read, name) == getattr(default, name), name
    assert read.operator_namespace == "system"


def unexplained(node: yaml.MappingNode, lines: list[str], *path: str) -> Iterator[str]:
    """Yield the paths of keys without a line `# -- ...` above; a mapping that has one is explained whole."""
    for key, value in node.value:
        mark = key.start_mark
        above = lines[mark.line - 1] if mark.line else ""
        if re.fullmatch(rf" {{{mark.column}}}# -- \S.*", above):
            continue
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from unexplained(value, lines, *path, key.value)
        else:
            yield ".".join((*path, key.value))


def test_every_value_has_one_line_that_explains_it() -> None:
    text = (CHART / "values.yaml").read_text()
    assert list(unexplained(yaml.compose(text), text.splitlines())) == []


@pytest.mark.parametrize(
    ("value", "word"),
    [
        pytest.param("settings.wrokers=3", "wrokers", id="a misspelt setting"),
        pytest.param("replica=2", "replica", id="a value that does not exist"),
        pytest.param("settings.rayReach=telepathy", "telepathy", id="a reach that does not exist"),
        pytest.param("settings.workers=0", "workers", id="no worker"),
        pytest.param("image.pullPolicy=Sometimes", "pullPolicy", id="an unknown pull policy"),
        pytest.param("metrics.serviceMonitor.interval=often", "interval", id="an interval that is none"),
        pytest.param("metrics.dashboards.enabled=true", "dashboards", id="a misspelt part of monitoring"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(value: str, word: str) -> None:
    done = helm("template", "rrm", str(CHART), "--kube-version", KUBERNETES, "--set", value)
    assert done.returncode != 0
    assert word in done.stderr or value.split("=")[0].split(".")[-1] in done.stderr


def test_the_pod_satisfies_pod_security_restricted(pod: Manifest) -> None:
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] >= 1
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    allowed = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
    assert all(set(volume) - {"name"} <= allowed for volume in pod["volumes"])
    assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert all("hostPort" not in port for port in container["ports"])


def test_without_a_lease_one_replica_is_replaced_never_doubled() -> None:
    documents = render("settings.leaderElection=false", "replicas=1")
    spec = only(documents, "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert not [it for it in documents if it["kind"] in ("Role", "RoleBinding", "PodDisruptionBudget")]
    two = ("--kube-version", KUBERNETES, "--set", "settings.leaderElection=false,replicas=2")
    done = helm("template", "rrm", str(CHART), *two)
    assert "leaderElection" in done.stderr


def test_of_two_replicas_one_is_left_by_an_update_and_by_a_drain() -> None:
    documents = render()
    spec, budget = only(documents, "Deployment")["spec"], only(documents, "PodDisruptionBudget")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == spec["selector"]
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["labelSelector"]) == ("kubernetes.io/hostname", spec["selector"])
    assert not [it for it in render("replicas=1") if it["kind"] == "PodDisruptionBudget"]


def test_the_lease_is_the_release_s_own_and_no_other_is_in_reach(
    rules: dict[str, list[Manifest]], pod: Manifest
) -> None:
    (role,) = roles(render(), "system")
    assert [rule | {"resourceNames": None} for rule in role["rules"]] == [
        rule | {"resourceNames": None} for rule in rules["own"]
    ]
    names = {verb: rule.get("resourceNames") for rule in role["rules"] for verb in rule["verbs"]}
    assert names == {"create": None, "get": ["rrm"], "update": ["rrm"]}
    env = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert env["RRM_LEASE_NAME"] == "rrm"


def test_the_operator_asks_for_what_it_needs(pod: Manifest) -> None:
    assert set(pod["containers"][0]["resources"]["requests"]) == {"cpu", "memory"}


def test_the_rights_are_those_of_the_rules_file(rules: dict[str, list[Manifest]]) -> None:
    documents = render()
    assert only(documents, "ClusterRole")["rules"] == rules["cluster"] + rules["namespaced"]
    assert roles(documents, "system") == roles(documents)


def test_listed_namespaces_get_one_role_each_and_nothing_more(rules: dict[str, list[Manifest]]) -> None:
    documents = render("settings.watchedNamespaces={a,b}")
    for namespace in ("a", "b"):
        assert [role["rules"] for role in roles(documents, namespace)] == [rules["namespaced"]]
    assert {role["metadata"]["namespace"] for role in roles(documents)} == {"a", "b", "system"}
    everywhere = [document["rules"] for document in documents if document["kind"] == "ClusterRole"]
    assert everywhere == ([rules["cluster"]] if rules["cluster"] else [])


def test_the_proxy_right_comes_only_with_the_proxy(rules: dict[str, list[Manifest]]) -> None:
    role = only(render("settings.rayReach=proxy"), "ClusterRole")
    assert role["rules"] == rules["cluster"] + rules["namespaced"] + rules["proxy"]


def test_bindings_name_the_account_the_pod_runs_as() -> None:
    documents = render("settings.watchedNamespaces={a}")
    account = only(documents, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"]
    assert only(documents, "ServiceAccount")["metadata"]["name"] == account
    bindings = [document for document in documents if document["kind"] == "RoleBinding"]
    named = {(it["metadata"]["namespace"], it["roleRef"]["name"]) for it in bindings}
    assert named == {(it["metadata"]["namespace"], it["metadata"]["name"]) for it in roles(documents)}
    for binding in bindings:
        (subject,) = binding["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": account, "namespace": "system"}


def test_the_crd_is_the_generated_one_and_outlives_the_release() -> None:
    crd = only(render(), "CustomResourceDefinition")
    assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert crd == yaml.safe_load((CHART / "files" / "crd.yaml").read_text())


def test_the_crd_can_be_left_out_or_be_removed_with_the_release() -> None:
    kinds = {document["kind"] for document in render("crd.install=false")}
    assert "CustomResourceDefinition" not in kinds
    assert "annotations" not in only(render("crd.keep=false"), "CustomResourceDefinition")["metadata"]


def test_a_pod_template_reaches_the_operator_unchanged() -> None:
    template = {"spec": {"nodeSelector": {"zone": "a"}, "containers": [{"name": "ray-worker"}]}}
    where = (
        "--kube-version",
        KUBERNETES,
        "--set-json",
        f"settings.defaultPodTemplate={json.dumps(template)}",
    )
    done = helm("template", "rrm", str(CHART), *where)
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    env = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    (value,) = (entry["value"] for entry in env if entry["name"] == "RRM_DEFAULT_POD_TEMPLATE")
    assert json.loads(value) == template


def test_pods_on_other_keys_are_told_which_secret() -> None:
    deployment = only(render("keys.secretName=mine"), "Deployment")
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["keys"]["secret"]["secretName"] == "mine"
