from typing import Any

import pytest

from rrm_test_cluster.dns import Table
from rrm_test_cluster.kube_api import Change

HEAD = "demo-head-svc.judges.svc.cluster.local"


def _slice(name: str, *endpoints: dict[str, Any]) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "demo-head-svc"}
    return {"metadata": {"name": name, "namespace": "judges", "labels": labels}, "endpoints": list(endpoints)}


def _endpoint(ip: str, *, ready: bool | None = True, hostname: str = "") -> dict[str, Any]:
    return {"addresses": [ip], "conditions": {"ready": ready}, **({"hostname": hostname} if hostname else {})}


@pytest.fixture
def table() -> Table:
    table = Table()
    ready, unready = _endpoint("10.0.0.1", hostname="head-0"), _endpoint("10.0.0.2", ready=False)
    table.update(Change("ADDED", _slice("one", ready, unready)))
    table.update(Change("ADDED", _slice("two", _endpoint("10.0.0.3", ready=None))))
    return table


def test_a_service_answers_with_its_ready_pods_of_all_slices(table: Table) -> None:
    # An absent `ready` counts as ready, as the API's documentation asks of readers.
    assert table.lookup(HEAD) == ("10.0.0.1", "10.0.0.3")


def test_a_pod_with_a_name_of_its_own_is_found_by_it(table: Table) -> None:
    assert table.lookup(f"head-0.{HEAD}") == ("10.0.0.1",)


def test_a_deleted_slice_takes_its_addresses_along(table: Table) -> None:
    table.update(Change("DELETED", _slice("one")))

    assert table.lookup(HEAD) == ("10.0.0.3",)


@pytest.mark.parametrize("name", ["example.org", "other.judges.svc.cluster.local", "svc.cluster.local", ""])
def test_an_unknown_name_does_not_exist(table: Table, name: str) -> None:
    assert table.lookup(name) is None


def test_a_service_without_ready_pods_exists_and_has_no_address(table: Table) -> None:
    table.update(Change("MODIFIED", _slice("one")))
    table.update(Change("MODIFIED", _slice("two")))

    assert table.lookup(HEAD) == ()
