"""`report.json`: strict JSON, numbers as numbers, one shape for every state, and as the guide says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from make_run import Try

from rrm.errors import VolumeUnavailable
from rrm.report.document import SCHEMA
from rrm.report.write import write_report

NOW = "2026-03-01T12:00:00Z"
GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "report.md"


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def document(root: Path) -> dict[str, Any]:
    written = write_report(root, root / "report.html", now=NOW)
    found: dict[str, Any] = json.loads(written.document.read_text(encoding="utf-8"), parse_constant=refuse)
    return found


def shape(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: shape(item) if key in {"training", "state", "verdict", "cost"} else None
        for key, item in value.items()
    }


def test_it_says_what_the_page_says(recorded: Path) -> None:
    found = document(recorded)
    assert found["schema"] == SCHEMA
    assert found["verdict"]["word"] == "LEARNING"
    assert (
        found["verdict"]["lift"]["low"] < found["verdict"]["lift"]["value"] < found["verdict"]["lift"]["high"]
    )
    assert [row["step"] for row in found["validations"]] == [0, 6, 12, 18, 24]
    assert isinstance(found["validations"][-1]["reward"], float)
    assert found["state"] == {
        "attempt": 2, "phase": "Finished", "step": 24, "totalSteps": 24, "etaSeconds": None,
        "lastSign": "2026-03-01T11:02:24Z", "isOver": True,
    }  # fmt: skip
    assert sum(map(sum, found["answers"]["confusion"]["counts"])) == found["answers"]["count"]
    assert found["attempts"][0]["ending"] == {
        "reason": "ClusterLost",
        "message": "a node went away",
        "exitCode": 20,
    }
    assert found["versions"] == {"isRecorded": True, "packages": found["versions"]["packages"]}
    assert found["configuration"]["hyperparameters"]["learning_rate"] == 1e-6


def test_the_shape_is_the_same_for_a_run_that_has_just_begun(
    recorded: Path, make: Callable[..., Path]
) -> None:
    young = make(name="young", tries=(Try(0, 0, None),))
    for name in ("validations.json", "data/data.json", "attempt-1/validation-0.parquet"):
        (young / name).unlink()
    assert shape(document(young)) == shape(document(recorded))


def test_every_key_is_in_the_guide(recorded: Path) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z]+)`", guide))
    assert set(document(recorded)) <= named


def test_half_a_surrogate_in_an_answer_is_shown_as_a_question_mark(recorded: Path) -> None:
    path = recorded / "data" / "data.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["example"] = [{"role": "user", "content": "half: \ud800."}]
    path.write_text(json.dumps(data))
    written = write_report(recorded, recorded / "report.html", now=NOW)
    assert "half: ?." in written.page.read_text(encoding="utf-8")
    assert document(recorded)["data"]["example"][0]["content"] == "half: ?."


def test_a_place_that_cannot_be_written_is_said(recorded: Path) -> None:
    (recorded / "file").write_text("")
    with pytest.raises(VolumeUnavailable, match="say with -o where it shall go"):
        write_report(recorded, recorded / "file" / "report.html", now=NOW)
