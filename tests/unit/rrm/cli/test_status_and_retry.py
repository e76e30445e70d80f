"""`rrm status` and `rrm retry` against an API server that speaks HTTP and remembers what it was sent."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from rrm.cli import main
from tests.unit.rrm.cli.api_server import API, FAILED_ATTEMPT, ApiServer, training

RETRY = "training.rrm.dev/retry"


def test_a_training_is_told_in_plain_lines_in_a_pipe(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [training("judge", "Failed", attempts=[FAILED_ATTEMPT])]
    assert main(["status", "judge"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("judge in namespace team-a\n  stage  Failed\n")
    assert "  wasted    0.50, 25 % of what was held\n" in out
    assert "\x1b" not in out


def test_at_a_terminal_it_has_colours_and_nothing_is_cut(
    api: ApiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    stalled = {
        "type": "Stalled",
        "status": "True",
        "reason": "RestartsExhausted",
        "message": "a long story " * 10 + "[/bold] THE END",
        "lastTransitionTime": "2026-03-01T11:00:00Z",
    }
    api.trainings = [training("judge", "Failed", conditions=[stalled], attempts=[FAILED_ATTEMPT])]
    assert main(["status", "judge"]) == 0
    out = capsys.readouterr().out
    assert "\x1b[1;33m" in out
    assert all(word in out for word in ("To look at", "[/bold]", "END", "Attempts", "wasted"))
    assert "1        2026-03-01 09:00 UTC  2026-03-01 10:00 UTC  TrainerCrashed" in out
    assert "…" not in out
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["judge", "Failed", "-", "-", "-", "-", "2.00", "1.50", "0.50", "25", "%"]


def test_all_trainings_of_the_contexts_namespace_are_told_with_their_sum(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("b-judge", "Failed"),
        training("a-judge", "Suspended"),
        training("elsewhere", "Training", namespace="team-b"),
    ]
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line][:3] == ["name", "a-judge", "b-judge"]
    assert lines[3].split() == ["sum", "of", "2", "4.00", "3.00", "1.00", "25", "%"]
    assert "elsewhere" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-n", "team-b"], ["elsewhere"]),
        (["--context", "other"], ["elsewhere"]),
        (["--context", "other", "-n", "team-a"], ["judge"]),
        (["-A"], ["judge", "elsewhere"]),
    ],
    ids=" ".join,
)
def test_namespace_and_context_choose_as_with_kubectl(
    api: ApiServer, arguments: list[str], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("elsewhere", "Training", namespace="team-b"),
        training("judge", "Failed"),
    ]
    assert main(["status", "-o", "json", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [it["name"] for it in document["trainings"]] == names
    assert document["gpuHours"]["held"] == 2 * len(names)


def test_a_namespace_without_trainings_says_so(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "there are no trainings in namespace team-a\n"
    assert main(["status", "-A"]) == 0
    assert capsys.readouterr().out == "there are no trainings in any namespace\n"
    assert main(["status", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["trainings"] == []


def test_all_namespaces_and_a_name_are_refused_before_anything_is_asked(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "judge", "-A"]) == 11
    assert main(["status", "-n", "team-a", "-A"]) == 11
    assert capsys.readouterr().err.count("--all-namespaces goes with neither") == 2
    assert api.asked == []


def test_a_retry_sets_a_fresh_annotation_with_a_merge_patch_of_its_own_manager(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [
        training("judge", "BackingOff", attempt=1, attempts=[FAILED_ATTEMPT], checkpoints={"latestStep": 6})
    ]
    assert main(["retry", "judge"]) == 0
    assert main(["retry", "judge"]) == 0
    patches = [it for it in api.asked if it[0] == "PATCH"]
    (_, path, headers, first), (*_, second) = patches
    assert urlsplit(path).path == f"{API}/namespaces/team-a/rewardmodeltrainings/judge"
    assert parse_qs(urlsplit(path).query) == {"fieldManager": ["rrm"]}
    assert headers["Content-Type"] == "application/merge-patch+json"
    values = [json.loads(it)["metadata"].pop("annotations") for it in (first, second)]
    assert [list(it) for it in values] == [[RETRY], [RETRY]]
    assert values[0] != values[1]
    assert json.loads(first).keys() == {"metadata"}
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"judge in namespace team-a is tried again ({RETRY}: {values[0][RETRY]})"
    assert out[1].startswith("attempt 2 begins at once instead of later, from step 6")


@pytest.mark.parametrize("stage", ["Succeeded", "Training"])
def test_nothing_to_retry_writes_nothing(
    api: ApiServer, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trainings = [training("judge", stage)]
    assert main(["retry", "judge"]) == 11
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"judge {'has succeeded' if stage == 'Succeeded' else 'is Training'}" in shown.err
    assert [it[0] for it in api.asked] == ["GET"]
