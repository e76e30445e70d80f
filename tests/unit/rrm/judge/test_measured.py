"""All lifts of a training, from made-up files on its volume."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.judge.guesses_file import FLOORS_FILE, write_guesses
from rrm.judge.measured import Measured, measure, measure_lift
from rrm.judge.surface import FloorRow, fit_surface_floors
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE, Scale
from rrm.train.answers import SCHEMA
from rrm_api.run import Intent, Layout, Prepared, RunFile
from rrm_api.status import DataStatus

SCALE = Scale(0, 4)
ROWS = 60
LABELS = [i * 7 % 5 for i in range(ROWS)]
SHARES = {"constant-2": [0, 0, 1, 0, 0], "uniform": [0.2] * 5}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path, "judge")
    found.data.mkdir(parents=True)
    floors = {name: {"shares": shares, "reward": 0.5} for name, shares in SHARES.items()}
    (found.data / "data.json").write_text(json.dumps({"floors": floors | {"surface-ridge": {"reward": 0.5}}}))
    return found


@pytest.fixture
def run_of(make_intent: Callable[..., Intent]) -> Callable[..., RunFile]:
    def make(**changes: object) -> RunFile:
        prepared = Prepared(
            data=DataStatus(train=1, validation=ROWS, digest="d"),
            read_rows=1,
            total_steps=24,
            evaluate_every_steps=6,
            save_every_steps=12,
            preset="pointwise-v1",
            floors=[],
        )
        return RunFile(intent=make_intent(**changes), prepared=prepared)

    return make


def validated(
    layout: Layout, step: int, run: RunFile, said: list[int], *, labels: list[int] = LABELS
) -> None:
    """Write the answers of a validation, only the columns that say something."""
    scale = PREFERENCE if run.intent.reward.pairwise else SCALE
    rows = [
        {name: None for name in SCHEMA.names}
        | {
            "row_id": f"r{i}",
            "prompt_group": f"g{i // 2}",
            "label": float(label),
            "strength": 1.0,
            "prediction": float(prediction),
            "reward": pay(prediction, label, scale=scale, reward=run.intent.reward),
            "parse_ok": True,
            "truncated": False,
        }
        for i, (label, prediction) in enumerate(zip(labels, said, strict=True))
    ]
    folder = layout.attempt(1)
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), folder / f"validation-{step}.parquet")


def surface_floors(layout: Layout, run: RunFile, *, rows: int = ROWS) -> None:
    """Write floors of answers whose length tells their label but for every seventh one."""
    found = [
        FloorRow(f"r{i}", "q", ("x" * (10 * (label if i % 7 else 0) + 1),), label)
        for i, label in enumerate(LABELS)
    ]
    guesses = fit_surface_floors(found * 5, found[:rows], scale=SCALE, reward=run.intent.reward)
    write_guesses(layout.data / FLOORS_FILE, guesses)


def measured(layout: Layout, run: RunFile, scale: Scale = SCALE) -> Measured:
    found = measure(run, layout, 24, scale)
    assert found is not None
    return found


def test_the_best_of_all_floors_is_the_reference(layout: Layout, run_of: Callable[..., RunFile]) -> None:
    run = run_of()
    validated(layout, 0, run, [2] * ROWS)
    validated(layout, 24, run, LABELS)
    before = measured(layout, run)
    surface_floors(layout, run)
    after = measured(layout, run)
    assert before.reward.reference in ("constant-2", "untrained model")
    assert after.reward.reference in ("length-rule", "surface-ridge")
    assert 0 < after.reward.value < before.reward.value
    assert [lift.metric for lift in after.ranking] == ["spearman", "qwk"]
    assert all(lift.reference in ("length-rule", "surface-ridge") for lift in after.ranking)
    assert measure_lift(run, layout, 24, SCALE) == after.reward


def test_floors_stand_in_the_table_with_all_their_metrics(
    layout: Layout, run_of: Callable[..., RunFile]
) -> None:
    run = run_of()
    validated(layout, 0, run, [2] * ROWS)
    validated(layout, 24, run, LABELS)
    surface_floors(layout, run)
    floors = measured(layout, run).floors
    assert list(floors) == ["constant-2", "uniform", "length-rule", "surface-ridge"]
    assert list(floors["uniform"]) == ["reward"], "what it says is drawn anew each time"
    constant = floors["constant-2"]
    assert (constant["exact"], constant["spearman"], constant["untied_half"]) == (0.2, 0.0, 0.5)
    assert constant["reward"] == pytest.approx((1 + 2 * 0.60653 + 2 * 0.36788) / 5, abs=1e-4)
    assert floors["length-rule"]["spearman"] > 0.5
    assert floors["length-rule"]["parse_rate"] == 1.0


def test_floors_that_miss_a_row_are_left_out(
    layout: Layout, run_of: Callable[..., RunFile], caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of()
    validated(layout, 0, run, [2] * ROWS)
    validated(layout, 24, run, LABELS)
    surface_floors(layout, run, rows=ROWS - 1)
    assert list(measured(layout, run).floors) == list(SHARES)
    assert "the floor length-rule is left out: it says nothing about 1 rows" in caplog.text


def test_a_users_own_reward_is_compared_with_the_base_and_ranked_beside_the_floors(
    layout: Layout, run_of: Callable[..., RunFile]
) -> None:
    run = run_of()
    validated(layout, 0, run, [2] * ROWS)
    validated(layout, 24, run, LABELS)
    (layout.data / "data.json").write_text(json.dumps({"floors": {}}))
    own = run_of(reward={"entryPoint": "mine:reward"})
    surface_floors(layout, own)
    found = measured(layout, own)
    assert found.reward.reference == "untrained model"
    assert found.ranking[0].reference in ("length-rule", "surface-ridge")
    assert "reward" not in found.floors["surface-ridge"]


def test_pairs_are_measured_by_untied_accuracy(layout: Layout, run_of: Callable[..., RunFile]) -> None:
    run = run_of(method="Pairwise", reward={"pairwise": {}})
    labels = [(-1, 1, 1, 0)[i % 4] for i in range(ROWS)]
    shares = {"always-first": {"shares": [1, 0, 0]}, "always-second": {"shares": [0, 0, 1]}}
    (layout.data / "data.json").write_text(json.dumps({"floors": shares}))
    validated(layout, 0, run, [0] * ROWS, labels=labels)
    validated(layout, 24, run, labels, labels=labels)
    found = measured(layout, run, PREFERENCE)
    (lift,) = found.ranking
    assert (lift.metric, lift.reference, lift.value) == (
        "accuracy_untied",
        "always-second",
        pytest.approx(1 / 3),
    )
    assert found.floors["always-first"]["accuracy"] == 0.25
    assert found.floors["always-first"]["verdict_a"] == 1.0


@pytest.mark.parametrize("steps", [(0,), (24,), ()])
def test_without_both_sides_nothing_is_measured(
    layout: Layout, run_of: Callable[..., RunFile], steps: tuple[int, ...]
) -> None:
    run = run_of()
    for step in steps:
        validated(layout, step, run, LABELS)
    assert measure(run, layout, 24, SCALE) is None
    assert measure_lift(run, layout, 24, SCALE) is None


def test_answers_to_other_rows_are_not_compared(
    layout: Layout, run_of: Callable[..., RunFile], caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of()
    validated(layout, 0, run, LABELS[1:], labels=LABELS[1:])
    validated(layout, 24, run, LABELS)
    assert measure(run, layout, 24, SCALE) is None
    assert "hold no answers to the same labelled rows" in caplog.text


def test_a_predecessors_answers_count_where_no_own_attempt_has_any(
    layout: Layout, run_of: Callable[..., RunFile]
) -> None:
    run = run_of()
    validated(layout, 0, run, [2] * ROWS)
    layout.attempt(1).rename(layout.root / "attempt-0-moved")
    (layout.root / "predecessor-x").mkdir()
    (layout.root / "attempt-0-moved").rename(layout.root / "predecessor-x" / "attempt-1")
    validated(layout, 24, run, LABELS)
    assert measured(layout, run).reward.value > 0
