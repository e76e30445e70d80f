"""What the guides must tell, compared with the code."""

from pathlib import Path

import pytest

from rrm_api.conditions import Reason

OPERATIONS = Path(__file__).parents[2] / "docs/guides/operations.md"


@pytest.mark.parametrize("reason", sorted(Reason))
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason}`" in OPERATIONS.read_text(encoding="utf-8")
