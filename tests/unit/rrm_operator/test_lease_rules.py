"""Who may take the lease, and when its holder gives up: pure, by the own clock."""

from datetime import UTC, datetime

import pytest

from rrm_operator.lease_rules import Record, Sight, Timing, is_free, lease_manifest, record_of, seen

HELD = Record("other", "t1", seconds=10, transitions=0, version="1")


@pytest.mark.parametrize(
    ("record", "unchanged_for", "free"),
    [
        pytest.param(HELD, 0, False, id="just renewed"),
        pytest.param(HELD, 9.9, False, id="about to expire"),
        pytest.param(HELD, 10, True, id="expired"),
        pytest.param(Record("", "t1", 10, 0, "1"), 0, True, id="released"),
        pytest.param(Record("me", "t1", 10, 0, "1"), 0, True, id="ours, the answer was lost"),
        pytest.param(Record("other", "t1", 60, 0, "1"), 30, False, id="its holder promised a longer time"),
        pytest.param(Record("other", "", 10, 0, "1"), 10, True, id="never renewed"),
        pytest.param(
            Record("other", "2001-01-01T00:00:00Z", 10, 0, "1"), 5, False, id="a clock that is late"
        ),
        pytest.param(
            Record("other", "2101-01-01T00:00:00Z", 10, 0, "1"), 10, True, id="a clock that is early"
        ),
    ],
)
def test_a_lease_is_free_by_the_own_clock_alone(record: Record, unchanged_for: float, free: bool) -> None:
    assert is_free(Sight(record, since=1000.0), "me", 1000.0 + unchanged_for) is free


@pytest.mark.parametrize(
    ("found", "since"),
    [
        pytest.param(HELD, 5, id="nothing changed"),
        pytest.param(Record("other", "t1", 10, 0, "2"), 5, id="somebody labelled it"),
        pytest.param(Record("other", "t2", 10, 0, "2"), 8, id="renewed"),
        pytest.param(Record("third", "t1", 10, 1, "2"), 8, id="another holder"),
    ],
)
def test_waiting_begins_anew_with_each_renewal_and_holder(found: Record, since: float) -> None:
    assert seen(Sight(HELD, 5), found, 8) == Sight(found, since)
    assert seen(None, found, 8) == Sight(found, 8)


def test_the_holder_gives_up_before_the_others_may_take_it() -> None:
    timing = Timing(10)
    assert timing.give_up_seconds + 2 * timing.timeout_seconds <= timing.seconds


def test_a_lease_says_how_long_it_holds_and_counts_its_holders() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    made = lease_manifest(None, "me", timing=Timing(10), now=now)
    assert made["spec"] == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 10,
        "leaseTransitions": 1,
        "renewTime": "2026-01-02T00:00:00.000000Z",
    }
    renewed = lease_manifest(Record("me", "", 10, 1, "7"), "me", timing=Timing(10), now=now)
    assert renewed["metadata"] == {"resourceVersion": "7"}
    assert renewed["spec"]["leaseTransitions"] == 1
    assert lease_manifest(HELD, "me", timing=Timing(10), now=now)["spec"]["leaseTransitions"] == 1
    assert lease_manifest(HELD, "", timing=Timing(10), now=now)["spec"]["leaseTransitions"] == 0


def test_a_lease_without_a_spec_is_nobody_s() -> None:
    found = record_of({"metadata": {"resourceVersion": "3"}}, default_seconds=10)
    assert found == Record("", "", 10, 0, "3")
