"""Comparing: paired or refused; the differences are those of the metrics; swapping sides turns the signs."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrm.errors import DataInvalid, InvalidSpec, VolumeUnavailable
from rrm.judge.metrics import judge_metrics
from rrm.judge.scored import ScoredRow
from rrm.report.comparison import compare, differences_of
from rrm.report.find import find_side, find_training
from rrm.scales import PREFERENCE, Scale

SCORES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=4, max_size=30)


def rows(triples: list[tuple[int, int, int]], side: int) -> list[ScoredRow]:
    return [
        ScoredRow(f"r{i}", f"g{i // 2}", label, said[side], 1 - abs(label - said[side]) / 4, parse_ok=True)
        for i, (label, *said) in enumerate(triples)
    ]


@settings(max_examples=25)
@given(SCORES)
def test_changes_are_the_differences_of_the_metrics_and_turn_with_the_sides(
    triples: list[tuple[int, int, int]],
) -> None:
    ours, theirs, scale = rows(triples, 0), rows(triples, 1), Scale(0, 4)
    metrics = [judge_metrics(side, scale) for side in (ours, theirs)]
    there, back = differences_of(ours, theirs, scale), differences_of(theirs, ours, scale)
    assert there[0].metric == "reward"
    assert {d.metric for d in there if d.change} == {
        "reward", "exact", "qwk", "spearman", "mae", "parse_rate", "truncated",
    }  # fmt: skip
    for forth, other in zip(there, back, strict=True):
        assert (forth.first, forth.second) == tuple(m[forth.metric] for m in metrics)
        if forth.change is not None and other.change is not None:
            assert forth.change.value == pytest.approx(forth.second - forth.first, abs=1e-9)
            assert forth.change.value == pytest.approx(-other.change.value, abs=1e-9)
            assert forth.change.low == pytest.approx(-other.change.high, abs=1e-6)


def test_the_same_answers_differ_in_nothing() -> None:
    same = rows([(1, 1, 1), (2, 3, 3), (0, 4, 4), (3, 2, 2)], 0)
    for difference in differences_of(same, same, Scale(0, 4)):
        assert difference.first == difference.second
        assert not difference.is_clear


def test_pairs_have_no_kappa_and_untied_pairs_have_an_interval() -> None:
    pairs = [
        ScoredRow(f"r{i}", f"g{i}", label, 1, float(label == 1), True)
        for i, label in enumerate((-1, 0, 1, 1))
    ]
    found = {d.metric: d for d in differences_of(pairs, pairs, PREFERENCE)}
    assert "qwk" not in found
    assert found["accuracy_untied"].change is not None
    assert found["accuracy_untied"].first == pytest.approx(2 / 3)


def test_two_steps_of_one_training_have_the_same_settings(recorded: Path) -> None:
    volume = recorded.parent
    comparison = compare(find_side("tiny-judge@0", volume), find_side("tiny-judge", volume))
    assert (comparison.rows, comparison.prompts, comparison.settings) == (48, 24, {})
    assert comparison.differences[0].is_clear


def test_settings_that_differ_stand_side_by_side(make: Callable[..., Path]) -> None:
    first, second = make(name="first"), make(name="second", total_steps=36, seed=8)
    comparison = compare(find_side("first", first.parent), find_side("second@24", second.parent))
    assert comparison.settings["training.maxSteps"] == (24, 36)
    assert comparison.settings["effective max_steps"] == (24, 36)
    assert "name" not in comparison.settings


def test_other_rows_or_other_labels_are_refused_with_their_number(
    recorded: Path, make: Callable[..., Path]
) -> None:
    volume = recorded.parent
    fewer = make(name="fewer", rows=40)
    with pytest.raises(
        DataInvalid, match="8 rows only in tiny-judge@24, 0 only in fewer@24 and 0 with another label"
    ):
        compare(find_side("tiny-judge", volume), find_side("fewer", fewer.parent))
    path = make(name="turned") / "attempt-2" / "validation-24.parquet"
    table = pq.read_table(path)
    turned = table.set_column(
        table.column_names.index("label"), "label", [[4 - label for label in table["label"].to_pylist()]]
    )
    pq.write_table(turned.cast(table.schema), path)
    with pytest.raises(DataInvalid, match="with another label, such as v000"):
        compare(find_side("tiny-judge", volume), find_side("turned", volume))


def test_answers_that_cannot_be_read_are_refused(recorded: Path) -> None:
    (recorded / "attempt-2" / "validation-24.parquet").write_text("no parquet")
    with pytest.raises(DataInvalid, match="the validation answers of tiny-judge@24"):
        compare(find_side("tiny-judge@0", recorded.parent), find_side("tiny-judge", recorded.parent))


def test_no_answers_at_all_are_refused(recorded: Path) -> None:
    path = recorded / "attempt-2" / "validation-24.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(DataInvalid, match="at least one answer, found none"):
        compare(find_side("tiny-judge@0", recorded.parent), find_side("tiny-judge", recorded.parent))


def test_a_run_file_that_cannot_be_read_is_a_difference(recorded: Path) -> None:
    (recorded / "attempt-2" / "run.json").write_text("{}")
    settings = compare(
        find_side("tiny-judge@0", recorded.parent), find_side("tiny-judge", recorded.parent)
    ).settings
    assert settings["run.json"] == (None, "not readable")


def test_the_scale_comes_from_the_answers_where_the_rows_are_gone(recorded: Path) -> None:
    sides = find_side("tiny-judge@0", recorded.parent), find_side("tiny-judge", recorded.parent)
    whole = compare(*sides)
    (recorded / "data" / "validation.parquet").unlink()
    assert compare(*sides).differences == whole.differences


def test_a_training_is_found_by_name_and_by_folder_and_else_the_known_ones_are_listed(recorded: Path) -> None:
    assert (
        find_training("tiny-judge", recorded.parent)
        == find_training(str(recorded), Path("/nowhere"))
        == recorded
    )
    with pytest.raises(VolumeUnavailable, match="trainings there: tiny-judge"):
        find_training("tiny", recorded.parent)
    with pytest.raises(VolumeUnavailable, match="no training was run there"):
        find_training("tiny", recorded)


@pytest.mark.parametrize("text", ["tiny-judge@7", "tiny-judge@best", "tiny-judge@"])
def test_a_step_that_was_not_validated_is_refused_and_the_others_listed(recorded: Path, text: str) -> None:
    with pytest.raises(InvalidSpec, match="validated steps: 0, 6, 12, 18, 24"):
        find_side(text, recorded.parent)


def test_without_a_step_the_best_checkpoint_counts_else_the_newest_validation(recorded: Path) -> None:
    kept = recorded / "validations.json"
    numbers = json.loads(kept.read_text())
    numbers["12"]["reward"] = 0.99
    kept.write_text(json.dumps(numbers))
    assert find_side("tiny-judge", recorded.parent).step == 12
    kept.unlink()
    assert find_side("tiny-judge", recorded.parent).step == 24
