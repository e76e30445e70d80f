"""Alarms do not flap: neither one bad step raises them nor one good step clears them."""

from hypothesis import given
from hypothesis import strategies as st

from rrm.health.alarm import Alarm, Reading, State

STATES = st.lists(st.sampled_from(State), max_size=60)


def heard(states: list[State], *, raise_after: int = 3, clear_after: int = 2) -> list[Alarm]:
    alarms = [Alarm(raise_after, clear_after)]
    for step, state in enumerate(states, start=1):
        alarms.append(alarms[-1].hear(Reading(state, f"at {step}"), step))
    return alarms[1:]


def test_it_is_raised_by_bad_readings_in_a_row_and_says_since_when() -> None:
    alarms = heard([State.WELL, State.BAD, State.BAD, State.BAD, State.BAD])
    assert [alarm.message for alarm in alarms] == [None, None, None, "at 4", "at 4"]
    assert alarms[-1].since == 2


def test_a_reading_in_between_breaks_both_rows() -> None:
    bad, between, well = State.BAD, State.BETWEEN, State.WELL
    assert heard([bad, bad, between, bad, bad])[-1].message is None
    alarms = heard([bad, bad, bad, well, between, well])
    assert alarms[-1].message == "at 3"


def test_after_clearing_it_begins_anew() -> None:
    alarms = heard([State.BAD] * 3 + [State.WELL] * 2 + [State.BAD] * 3)
    assert [alarm.message for alarm in alarms[3:]] == ["at 3", None, None, None, "at 8"]
    assert alarms[-1].since == 6


@given(STATES, st.integers(1, 5), st.integers(1, 5))
def test_between_two_changes_lie_as_many_readings_as_it_takes(
    states: list[State], raise_after: int, clear_after: int
) -> None:
    alarms = heard(states, raise_after=raise_after, clear_after=clear_after)
    is_raised = [False] + [alarm.message is not None for alarm in alarms]
    changes = [step for step in range(1, len(is_raised)) if is_raised[step] != is_raised[step - 1]]
    for step in changes:
        needed = raise_after if is_raised[step] else clear_after
        wanted = State.BAD if is_raised[step] else State.WELL
        assert states[step - needed : step] == [wanted] * needed


@given(STATES)
def test_readings_inside_the_band_change_nothing(states: list[State]) -> None:
    before = heard([State.BAD] * 3 + states)
    after = heard([State.BAD] * 3 + states + [State.BETWEEN] * 20)
    last = before[-1].message
    assert all(alarm.message == last for alarm in after[len(before) :])
