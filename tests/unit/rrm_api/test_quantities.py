"""Quantities are Kubernetes' own: the CRD and its Python twin take the same ones, and none below zero."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rrm_api.quantities import Quantity, amount
from rrm_api.structural import structural_schema
from rrm_api.v1alpha1 import RewardModelTraining
from tests.unit.structural_rules import faults

QUANTITIES: dict[str | int, Decimal] = {
    "500Gi": Decimal(500 * 2**30),
    "2Ti": Decimal(2 * 2**40),
    "1Ei": Decimal(2**60),
    "1.5T": Decimal("1.5e12"),
    "7k": Decimal(7_000),
    "64M": Decimal(64_000_000),
    "3P": Decimal("3e15"),
    "1E": Decimal("1e18"),
    "9": Decimal(9),
    64: Decimal(64),
    "500m": Decimal("0.5"),
    "5u": Decimal("0.000005"),
    "5n": Decimal("0.000000005"),
    "1e3": Decimal(1_000),
    "1E+2": Decimal(100),
    "25e-1": Decimal("2.5"),
    "+1Gi": Decimal(2**30),
    "5.": Decimal(5),
    ".5": Decimal("0.5"),
    "1.Gi": Decimal(2**30),
    "007": Decimal(7),
}
NO_QUANTITIES = (
    "64GB", "1e3x", "-1", "-1Gi", -1, -(2**40), "", " ", "Gi", ".", "+", "1 Gi", "1gi", "1K", "1ki", "1e",
    "1eG", "0x10", "1_000", "1,5", "1e3.5", "1e100", "1GiGi", "--1", "²", "1" * 33, 1.5, True, 2**63, None,
)  # fmt: skip

SCHEMA = structural_schema(RewardModelTraining)["properties"]["spec"]["properties"]
TWIN = TypeAdapter[str](Quantity)


def fields() -> dict[str, Any]:
    """Return the schema of every quantity of the spec by its path."""
    return dict(_quantities(SCHEMA, "spec"))


def _quantities(members: dict[str, Any], path: str) -> list[tuple[str, Any]]:
    found = []
    for name, member in members.items():
        inner = member.get("items", member)
        values = inner.get("additionalProperties")
        if isinstance(values, dict):
            found += _quantities({"[]": values}, f"{path}.{name}")
        if inner.get("x-kubernetes-int-or-string"):
            found.append((f"{path}.{name}", inner))
        found += _quantities(inner.get("properties", {}), f"{path}.{name}")
    return found


def twin_accepts(value: Any) -> bool:
    try:
        TWIN.validate_python(value)
    except ValidationError:
        return False
    return True


def test_every_quantity_of_the_spec_is_known_here() -> None:
    pods = ("workers", "head", "jobs")
    assert set(fields()) == {
        *(f"spec.{pod}.resources.{kind}.[]" for pod in pods for kind in ("requests", "limits")),
        *("spec.workers.sharedMemory", "spec.checkpoints.volume.size"),
    }


@pytest.mark.parametrize("field", fields())
def test_the_crd_takes_in_each_field_what_a_quantity_may_be(field: str) -> None:
    assert [it for it in QUANTITIES if faults(fields()[field], it)] == []


@pytest.mark.parametrize("field", fields())
def test_the_crd_takes_in_no_field_what_no_quantity_is(field: str) -> None:
    assert [it for it in NO_QUANTITIES if not faults(fields()[field], it)] == []


@pytest.mark.parametrize("value", NO_QUANTITIES, ids=repr)
def test_python_refuses_what_no_quantity_is(value: Any) -> None:
    assert not twin_accepts(value)


@pytest.mark.parametrize(("value", "count"), QUANTITIES.items(), ids=map(repr, QUANTITIES))
def test_a_quantity_is_a_number_of_its_base_unit(value: Any, count: Decimal) -> None:
    assert amount(TWIN.validate_python(value)) == count


@pytest.mark.parametrize(
    "text", [it for it in NO_QUANTITIES if isinstance(it, str) and len(it) < 33], ids=repr
)
def test_what_no_quantity_is_has_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity; a number with a unit such as 500Gi is required"):
        amount(text)


@given(
    st.one_of(st.text("0123456789.+-eEinumkKMGTPB x\n", max_size=34), st.integers(), st.floats(), st.text())
)
@example("64Gi\n")
@example(2**63 - 1)
@example(4.0)
def test_the_crd_and_its_twin_agree_about_whatever_is_written(value: Any) -> None:
    schema = fields()["spec.workers.sharedMemory"]
    assert (faults(schema, value) == []) == twin_accepts(value)
