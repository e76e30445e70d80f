"""What holds for every status that is written, one function a rule: the training before and after."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from rrm_api import group
from rrm_api.conditions import ConditionType, Reason, Stage
from rrm_api.status import TrainingStatus
from rrm_operator.facts import Manifest

TERMINAL = frozenset({Stage.SUCCEEDED, Stage.FAILED, Stage.STALLED, Stage.SUSPENDED})


def conditions(manifest: Manifest) -> dict[str, Manifest]:
    """Return a training's conditions by type."""
    return {it["type"]: it for it in (manifest.get("status") or {}).get("conditions", [])}


def exactly_one_of_ready_reconciling_and_stalled_is_true(before: Manifest, after: Manifest) -> None:
    """It goes as it should, or is on its way, or a person must act: never two of them, never none."""
    main = {"Ready", "Reconciling", "Stalled"}
    true = {kind for kind, it in conditions(after).items() if it["status"] == "True"} & main
    assert len(true) == 1, f"true are {sorted(true)}"


def conditions_are_complete_and_ordered(before: Manifest, after: Manifest) -> None:
    """Every type is there from the first visit on, in the order that kstatus reads."""
    types = [it["type"] for it in after["status"]["conditions"]]
    assert types == [it.value for it in ConditionType], types


def generation_and_conditions_come_in_one_patch(before: Manifest, after: Manifest) -> None:
    """`observedGeneration` is that of the spec that was judged, everywhere."""
    generation = before["metadata"]["generation"]
    said = {after["status"]["observedGeneration"]}
    said |= {it.get("observedGeneration") for it in after["status"]["conditions"]}
    assert said == {generation}, f"the spec is of generation {generation}, the status speaks of {said}"


def transition_time_moves_only_with_the_status(before: Manifest, after: Manifest) -> None:
    """A condition's `lastTransitionTime` changes when, and only when, its status does."""
    now = conditions(after)
    for kind, old in conditions(before).items():
        new = now[kind]
        if new["status"] == old["status"]:
            assert new["lastTransitionTime"] == old["lastTransitionTime"], f"{kind}: {old} -> {new}"


def success_is_for_ever(before: Manifest, after: Manifest) -> None:
    """`Succeeded` never leaves True."""
    if conditions(before).get("Succeeded", {}).get("status") == "True":
        assert conditions(after)["Succeeded"]["status"] == "True"


def failure_ends_only_by_a_person(before: Manifest, after: Manifest) -> None:
    """`Succeeded` leaves False only after an edit of the spec, or a fresh retry annotation."""
    if conditions(before).get("Succeeded", {}).get("status") != "False":
        return
    if conditions(after)["Succeeded"]["status"] != "False":
        edited = before["metadata"]["generation"] != before["status"]["observedGeneration"]
        wish = (before["metadata"].get("annotations") or {}).get(group.ANNOTATION_RETRY)
        retried = wish is not None and wish != before["status"].get("lastHandledRetry")
        assert edited or retried, "a failed training came alive by itself"


def attempts_only_grow(before: Manifest, after: Manifest) -> None:
    """The number of the attempt never falls, and the list of attempts is in order, each number once."""
    assert after["status"].get("attempt", 0) >= (before.get("status") or {}).get("attempt", 0)
    numbers = [it["number"] for it in after["status"].get("attempts", [])]
    assert numbers == sorted(set(numbers)), numbers


def a_verdict_stands(before: Manifest, after: Manifest) -> None:
    """Once it is written why an attempt ended, only a record of success changes that."""
    now = {it["number"]: it for it in after["status"].get("attempts", [])}
    for old in (before.get("status") or {}).get("attempts", []):
        new = now.get(old["number"])
        if new is None or not old.get("reason"):
            continue
        assert new.get("reason") in (old["reason"], Reason.SUCCEEDED), f"{old} became {new}"
        assert new.get("endTime") == old.get("endTime") or new["reason"] == Reason.SUCCEEDED, (
            f"{old} -> {new}"
        )


def at_most_the_newest_attempt_is_open(before: Manifest, after: Manifest) -> None:
    """Every attempt but the newest has a verdict."""
    open_ = [it["number"] for it in after["status"].get("attempts", [])[:-1] if not it.get("reason")]
    assert not open_, f"attempts {open_} have no verdict, and others came after them"


def restarts_count_up_by_one_or_from_zero(before: Manifest, after: Manifest) -> None:
    """From one attempt to the next, `restarts` stays, grows by one, or begins anew."""
    attempts = after["status"].get("attempts", [])
    for earlier, later in pairwise(attempts):
        known, new = earlier.get("restarts", 0), later.get("restarts", 0)
        assert new in (0, known, known + 1), f"{known} restarts became {new}"


def whoever_must_act_is_told_why(before: Manifest, after: Manifest) -> None:
    """Where `Stalled` is True, and where `Ready` is not, a message says why; so does `failure`."""
    now = conditions(after)
    assert now["Ready"].get("message"), "Ready without a message"
    if now["Stalled"]["status"] == "True":
        assert now["Stalled"].get("message"), "Stalled without a message"
        assert after["status"].get("failure", {}).get("message"), "Stalled without a failure"


def the_end_has_a_time(before: Manifest, after: Manifest) -> None:
    """`completionTime` is there exactly while it succeeded or failed."""
    ended = after["status"]["stage"] in (Stage.SUCCEEDED, Stage.FAILED)
    assert ("completionTime" in after["status"]) == ended


def the_status_fits_its_schema(before: Manifest, after: Manifest) -> None:
    """What is written keeps every bound of the CRD: the API server would refuse it otherwise."""
    TrainingStatus.model_validate(after["status"])


STATUS_RULES: tuple[Callable[[Manifest, Manifest], Any], ...] = (
    exactly_one_of_ready_reconciling_and_stalled_is_true,
    conditions_are_complete_and_ordered,
    generation_and_conditions_come_in_one_patch,
    transition_time_moves_only_with_the_status,
    success_is_for_ever,
    failure_ends_only_by_a_person,
    attempts_only_grow,
    a_verdict_stands,
    at_most_the_newest_attempt_is_open,
    restarts_count_up_by_one_or_from_zero,
    whoever_must_act_is_told_why,
    the_end_has_a_time,
    the_status_fits_its_schema,
)
