"""What a Ray pod does before it goes: it asks for a save while there is hope, then ends Ray."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.train import farewell
from rrm.train.attempt import Attempt
from rrm.train.farewell import BEAT_SECONDS, QUIET_SECONDS, is_running, ray_processes, wait_for_save
from rrm.train.sign_of_life import sign_of_life
from rrm_api.layout import Layout

HEAVY = {"torch", "verl", "ray", "numpy", "pydantic", "yaml", "rrm_api.run"}


class Clock:
    """Time that passes by sleeping; something may happen at each look."""

    def __init__(self, at_look: Callable[[float], None] = lambda now: None) -> None:
        self.now = 0.0
        self._at_look = at_look

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._at_look(self.now)


def breathe(attempt: Attempt, *, age: float = 0.0, at: float = 1e9) -> None:
    """Leave a sign of life that is `age` seconds old at the time `at` of the clock on the wall."""
    attempt.folder.mkdir(parents=True, exist_ok=True)
    attempt.alive.touch()
    os.utime(attempt.alive, (at - age, at - age))


def runs(attempt: Attempt, clock: Clock) -> bool:
    return is_running(attempt.layout, 1, clock=clock, sleep=clock.sleep, wall_clock=lambda: 1e9)


def test_a_pod_without_a_volume_or_an_attempt_goes_at_once(tmp_path: Path) -> None:
    for layout in (Layout(tmp_path / "gone", "judge"), Layout(tmp_path, "judge")):
        clock = Clock()
        assert wait_for_save(layout, 600, clock=clock, sleep=clock.sleep) == "no attempt is running"
        assert clock.now == 0


def test_without_grace_nobody_is_asked(attempt: Attempt) -> None:
    with sign_of_life(attempt):
        assert wait_for_save(attempt.layout, 0).startswith("not saving")
    assert not attempt.stop_mark.exists()


def test_an_attempt_that_has_ended_does_not_run_however_fresh_its_sign(attempt: Attempt) -> None:
    breathe(attempt)
    attempt.finished_mark.touch()
    assert not runs(attempt, Clock())


@pytest.mark.parametrize("age", [0.0, 14.0, -14.0])
def test_a_fresh_sign_is_believed_at_once(attempt: Attempt, age: float) -> None:
    breathe(attempt, age=age)
    clock = Clock()
    assert runs(attempt, clock)
    assert clock.now == 0


def test_a_sign_older_than_any_clocks_differ_is_not_waited_for(attempt: Attempt) -> None:
    breathe(attempt, age=80)
    clock = Clock()
    assert not runs(attempt, clock)
    assert clock.now == 0


@pytest.mark.parametrize("age", [30.0, -30.0])
def test_a_clock_that_is_half_a_minute_off_makes_nobody_dead(attempt: Attempt, age: float) -> None:
    breathe(attempt, age=age)
    clock = Clock(at_look=lambda now: breathe(attempt, age=age - now))
    assert runs(attempt, clock)
    silent = Clock()
    breathe(attempt, age=age)
    assert not runs(attempt, silent)
    assert silent.now == 2 * BEAT_SECONDS


def test_the_newest_attempt_is_asked(attempt: Attempt) -> None:
    newest = Attempt(attempt.run, attempt.volume, attempt.claims, 12)
    with sign_of_life(newest):
        clock = Clock(at_look=lambda now: newest.finished_mark.touch())
        assert wait_for_save(attempt.layout, 600, clock=clock, sleep=clock.sleep).startswith(
            "attempt 12 has ended"
        )
    assert newest.stop_mark.read_text().endswith("goes away\n")
    assert not attempt.stop_mark.exists()


def test_it_waits_while_the_attempt_lives_and_no_longer_than_its_grace(attempt: Attempt) -> None:
    with sign_of_life(attempt):
        clock = Clock(at_look=lambda now: os.utime(attempt.alive, (now, now)))
        told = wait_for_save(attempt.layout, 600, clock=clock, sleep=clock.sleep)
    assert told == "attempt 1 did not end within 600 s"
    assert clock.now == 600


def test_it_does_not_wait_for_an_attempt_that_has_died(attempt: Attempt) -> None:
    attempt.alive.touch()
    clock = Clock()
    told = wait_for_save(attempt.layout, 600, clock=clock, sleep=clock.sleep)
    assert told == "attempt 1 gave no sign of life for 15 s"
    assert clock.now == pytest.approx(QUIET_SECONDS, abs=1)


def test_a_volume_that_takes_no_mark_is_not_waited_for(attempt: Attempt) -> None:
    attempt.alive.touch()
    attempt.stop_mark.mkdir()  # where a file should be
    clock = Clock()
    told = wait_for_save(attempt.layout, 600, clock=clock, sleep=clock.sleep)
    assert clock.now == 0
    assert "cannot be asked to save" in told


def test_a_parent_gives_signs_until_it_has_ended(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rrm.train.sign_of_life.BEAT_SECONDS", 0.01)
    attempt.finished_mark.touch()  # an earlier start of this attempt
    with sign_of_life(attempt):
        assert not attempt.finished_mark.exists()
        os.utime(attempt.alive, (1, 1))
        for _ in range(500):
            if attempt.alive.stat().st_mtime > 1:
                break
            time.sleep(0.01)
        assert attempt.alive.stat().st_mtime > 1
    assert attempt.finished_mark.exists()


def test_a_parent_whose_folder_was_handed_over_leaves_nothing_in_it(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrm.train.sign_of_life.BEAT_SECONDS", 0.01)
    with sign_of_life(attempt):
        attempt.folder.rename(attempt.layout.root / "predecessor")
        time.sleep(0.05)
    assert [path.name for path in attempt.layout.root.iterdir()] == ["predecessor"]


def test_the_raylet_goes_first_and_ray_start_last(tmp_path: Path) -> None:
    site = "/opt/venv/lib/python3.11/site-packages/ray"
    for pid, words in {
        1: ["/bin/bash", "-c", "--", "ulimit -n 65536; ray start --head --block"],
        7: ["/opt/venv/bin/python", "/opt/venv/bin/ray", "start", "--head", "--block"],
        20: [f"{site}/core/src/ray/gcs/gcs_server", "--log_dir=/tmp/ray"],
        21: ["/opt/venv/bin/python", "-u", f"{site}/dashboard/dashboard.py", "--host=0.0.0.0"],
        22: ["ray::WorkerDict.actor_rollout_generate_sequences"],
        30: [f"{site}/core/src/ray/raylet/raylet", "--raylet_socket_name=/tmp/ray"],
        40: ["python", "-m", "rrm.train", "--run", "/etc/rrm/run.json"],
        41: ["/usr/bin/sleep", "1"],
        42: [],
    }.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes("\0".join(words).encode())
    (tmp_path / "43").mkdir()  # has ended meanwhile
    assert list(ray_processes(tmp_path)) == [30, 20, 21, 22, 7]


def test_ray_is_ended_even_if_the_farewell_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def end() -> int:
        ended.append(True)
        return 1

    def fail(*_: object) -> str:
        raise KeyError("a bug of ours")

    monkeypatch.setattr(farewell, "wait_for_save", fail)
    monkeypatch.setattr(farewell, "end_ray", end)
    with pytest.raises(KeyError):
        farewell.main(["--volume", str(tmp_path), "--training", "judge", "--grace", "1"])
    assert ended == [True]


def test_a_dying_pod_imports_nothing_heavy() -> None:
    script = "import sys, rrm.train.farewell; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(told.stdout.split())
