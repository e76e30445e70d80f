"""Which checkpoint is whole, which to resume from, which to delete: decisions over listings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.train.checkpoints import (
    FEWEST_KEPT,
    Checkpoint,
    File,
    Tracker,
    best_step,
    decide_start,
    is_whole,
    list_checkpoints,
    prune,
    status_of,
    steps_to_delete,
)

SAVED, TRACKED = 100.0, 200.0


def files_of(world: int = 1, *, changed: float = SAVED, size: int = 9) -> list[File]:
    parts = ("model", "optim", "extra_state")
    names = [f"actor/{part}_world_size_{world}_rank_{rank}.pt" for part in parts for rank in range(world)]
    return [File(name, size, changed) for name in [*names, "data.pt", "actor/huggingface/config.json"]]


def without(name: str, files: list[File]) -> list[File]:
    assert any(file.name == name for file in files)
    return [file for file in files if file.name != name]


@pytest.mark.parametrize(
    ("files", "tracker", "expected"),
    [
        pytest.param(files_of(), Tracker(12, TRACKED), True, id="a finished save of one rank is whole"),
        pytest.param(files_of(2), Tracker(12, TRACKED), True, id="a finished save of two ranks is whole"),
        pytest.param(files_of(), Tracker(24, TRACKED), True, id="an older finished save stays whole"),
        pytest.param(files_of(), None, False, id="without a tracker no save ever ended"),
        pytest.param(files_of(), Tracker(6, TRACKED), False, id="the tracker still names an earlier step"),
        pytest.param(
            files_of(changed=TRACKED + 61), Tracker(24, TRACKED), False, id="a file is newer than the tracker"
        ),
        pytest.param(
            files_of(changed=TRACKED + 5),
            Tracker(12, TRACKED),
            True,
            id="another node's clock is a bit ahead",
        ),
        pytest.param(
            without("actor/optim_world_size_2_rank_1.pt", files_of(2)),
            Tracker(12, TRACKED),
            False,
            id="the optimizer of one rank is missing",
        ),
        pytest.param(
            without("data.pt", files_of()), Tracker(12, TRACKED), False, id="the data state is missing"
        ),
        pytest.param(files_of(size=0), Tracker(12, TRACKED), False, id="the files are empty"),
        pytest.param(
            files_of(1) + files_of(2), Tracker(12, TRACKED), False, id="two world sizes lie in one folder"
        ),
        pytest.param([], Tracker(12, TRACKED), False, id="the folder is empty"),
    ],
)
def test_whole_means_every_part_of_every_rank_before_the_tracker(
    files: list[File], tracker: Tracker | None, expected: bool
) -> None:
    assert is_whole(12, files, tracker) is expected


def saved(*steps: int, broken: tuple[int, ...] = ()) -> list[Checkpoint]:
    return [Checkpoint(step, Path(f"global_step_{step}"), step not in broken, 1) for step in steps]


@pytest.mark.parametrize(
    ("checkpoints", "step", "is_complete"),
    [
        pytest.param(saved(), 0, False, id="nothing saved: from the start"),
        pytest.param(saved(12, 24, broken=(24,)), 12, False, id="a broken newer one is passed over"),
        pytest.param(saved(12, 24), 24, True, id="the last step is saved: nothing to do"),
        pytest.param(saved(12, 30), 30, True, id="more steps than wanted are done"),
    ],
)
def test_an_attempt_starts_after_the_last_whole_checkpoint(
    checkpoints: list[Checkpoint], step: int, is_complete: bool
) -> None:
    start = decide_start(checkpoints, total_steps=24)
    assert (start.step, start.is_complete) == (step, is_complete)


@pytest.mark.parametrize(
    ("checkpoints", "best", "resumed", "expected"),
    [
        pytest.param(saved(6, 12, 18, 24), 6, None, [12], id="the best is kept beside the last two"),
        pytest.param(saved(6, 12, 18, 24), None, 6, [12], id="the one resumed from is kept"),
        pytest.param(saved(6, 12, 18, 24), 24, None, [6, 12], id="best and last may be the same"),
        pytest.param(saved(6, 12, broken=(6,)), None, None, [6], id="an old interrupted save goes"),
        pytest.param(saved(6, 12, broken=(12,)), None, None, [], id="a save that may be under way stays"),
        pytest.param(
            saved(6, 12, 18, broken=(12, 18)),
            None,
            None,
            [],
            id="the only whole one stays, whatever is newer",
        ),
    ],
)
def test_pruning_keeps_what_somebody_may_still_need(
    checkpoints: list[Checkpoint], best: int | None, resumed: int | None, expected: list[int]
) -> None:
    assert steps_to_delete(checkpoints, keep_last=2, best=best, resumed_from=resumed) == expected


steps = st.sets(st.integers(1, 60), max_size=12)


@given(steps, st.sets(st.integers(1, 60)), st.integers(0, 5), st.none() | st.integers(1, 60))
def test_pruning_never_goes_below_two_whole_ones_nor_takes_the_newest(
    present: set[int], broken: set[int], keep_last: int, best: int | None
) -> None:
    checkpoints = saved(*sorted(present), broken=tuple(broken))
    gone = steps_to_delete(checkpoints, keep_last=keep_last, best=best, resumed_from=None)
    whole = sorted(present - broken)
    kept = [step for step in whole if step not in gone]
    assert len(kept) >= min(FEWEST_KEPT, len(whole))
    assert set(whole[-FEWEST_KEPT:]) <= set(kept)
    assert best not in gone or best in broken
    remaining = [c for c in checkpoints if c.step not in gone]
    assert steps_to_delete(remaining, keep_last=keep_last, best=best, resumed_from=None) == []


@given(st.dictionaries(st.integers(0, 40), st.floats(0, 1)), steps)
def test_the_best_is_a_saved_one_and_no_saved_one_is_better(
    rewards: dict[int, float], whole: set[int]
) -> None:
    best = best_step(whole, rewards)
    judged = whole & set(rewards)
    assert (best is None) == (not judged)
    if best is not None:
        assert rewards[best] == max(rewards[step] for step in judged)
        assert best == min(step for step in judged if rewards[step] == rewards[best])


def write_checkpoint(folder: Path, step: int) -> None:
    for file in files_of():
        path = folder / f"global_step_{step}" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * file.size)
    (folder / "latest_checkpointed_iteration.txt").write_text(str(step))


def test_checkpoints_on_disk_are_listed_pruned_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "tiny" / "checkpoints"
    for step in (6, 12, 18, 24):
        write_checkpoint(folder, step)
    (folder / "global_step_24" / "data.pt").unlink()
    assert [(c.step, c.is_whole) for c in list_checkpoints(folder)] == [
        (6, True),
        (12, True),
        (18, True),
        (24, False),
    ]

    assert prune(folder, keep_last=2, best=None, resumed_from=None) == [6]

    status = status_of(folder, {12: 0.7, 18: 0.6, 24: 0.9}, volume=tmp_path)
    assert (status.latest_step, status.best_step) == (18, 12)
    assert status.best_path == "tiny/checkpoints/global_step_12"
    assert status.bytes == 2 * 9 * len(files_of())


def test_a_folder_that_is_not_there_holds_no_checkpoint(tmp_path: Path) -> None:
    assert list_checkpoints(tmp_path / "none") == []
    assert status_of(tmp_path / "none", {}, volume=tmp_path).latest_step is None


def test_a_newer_checkpoint_that_is_broken_is_passed_over_and_named() -> None:
    saved = [
        Checkpoint(12, Path("c/global_step_12"), is_whole=True, size=1),
        Checkpoint(18, Path("c/global_step_18"), is_whole=False, size=1),
    ]
    start = decide_start(saved, total_steps=24)
    assert start.step == 12
    assert start.told() == "going on from global_step_12; skipping global_step_18: the save was interrupted"
    assert decide_start(saved[1:], total_steps=24).told().startswith("starting at step 0; skipping")
    assert decide_start(saved[:1], total_steps=24).told() == "going on from global_step_12"
