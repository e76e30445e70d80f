"""What the guides must tell, compared with the code."""

from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from rrm_api.conditions import Reason
from rrm_operator import metrics

OPERATIONS = Path(__file__).parents[2] / "docs/guides/operations.md"


@pytest.mark.parametrize("reason", sorted(Reason))
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason}`" in OPERATIONS.read_text(encoding="utf-8")


def names() -> list[str]:
    ours = (it for it in vars(metrics).values() if isinstance(it, MetricWrapperBase))
    described = (family for it in ours for family in it.describe())
    return sorted(it.name + ("_total" if it.type == "counter" else "") for it in described)


@pytest.mark.parametrize("name", names())
def test_every_metric_is_explained(name: str) -> None:
    assert f"`{name}`" in OPERATIONS.read_text(encoding="utf-8")
