"""Finding a row and what was said to it; tokens where the tokenizer is at hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_run import Try

from rrm.errors import DataInvalid
from rrm.report.row import find_row
from rrm.report.tokens import count_tokens


def test_a_row_is_shown_with_every_answer_in_the_order_of_steps(recorded: Path) -> None:
    row = find_row(recorded, "v00002", step=None)
    assert row.row_id == "v00002c0ffee"
    assert row.facts["part"] == "validation"
    assert row.facts["label"].endswith("on 0 to 4")
    assert "Question:" in row.prompt[0][1]
    assert [(said.step, said.attempt) for said in row.answers] == [
        (0, "1"), (6, "1"), (12, "1"), (18, "2"), (24, "2"),
    ]  # fmt: skip


def test_one_step_can_be_asked_for(recorded: Path) -> None:
    assert [said.step for said in find_row(recorded, "v00002", step=18).answers] == [18]
    nothing = find_row(recorded, "v00002", step=7)
    assert nothing.answers == ()
    assert "at step 7" in nothing.why_unanswered


def test_a_training_row_has_no_answers_and_it_says_why(recorded: Path) -> None:
    row = find_row(recorded, "t00001", step=None)
    assert row.answers == ()
    assert "this is a train row" in row.why_unanswered


def test_what_was_read_is_told_by_its_kind(make: Callable[..., Path]) -> None:
    root = make(rows=80, tries=(Try(0, 0, None),))
    said = [find_row(root, f"v{i:05d}", step=0).answers[0] for i in range(80)]
    assert {answer.kind for answer in said} == {"right", "wrong", "unreadable"}
    for answer in said:
        assert answer.kind in answer.read
        assert ("not readable (cut off" in answer.read) is (answer.kind == "unreadable")


def test_pairs_are_named_a_and_b(make: Callable[..., Path]) -> None:
    row = find_row(make(name="pairs", is_pairwise=True), "v00001", step=24)
    assert row.facts["pair"] == "p1"
    assert row.facts["label"].split()[0] in {"A", "tie", "B"}
    assert row.answers[0].swapped is not None


@pytest.mark.parametrize(("row_id", "found"), [("v0000", "10: v00000c0ffee, v00001"), ("zzz", "0: none")])
def test_an_id_that_fits_several_rows_or_none_is_refused(recorded: Path, row_id: str, found: str) -> None:
    with pytest.raises(DataInvalid, match=f"found {found}"):
        find_row(recorded, row_id, step=None)


def test_without_the_prepared_rows_it_says_which_file_is_missing(recorded: Path) -> None:
    for path in (recorded / "data").glob("*.parquet"):
        path.unlink()
    with pytest.raises(DataInvalid, match=r"data/validation\.parquet: not there"):
        find_row(recorded, "v00001", step=None)


def test_tokens_are_counted_by_the_trainings_own_tokenizer(
    recorded: Path, demo_claims: Path, tmp_path: Path
) -> None:
    copy = recorded / "attempt-2" / "run.json"
    run = json.loads(copy.read_text())
    run["intent"]["model"]["volume"] = {"claimName": "demo", "path": "model"}
    copy.write_text(json.dumps(run))
    tokens = count_tokens(recorded, demo_claims, ["", "<score>3</score>"])
    assert tokens.why_none == ""
    assert tokens.counts[0] == 0
    assert 1 <= (tokens.counts[1] or 0) <= 16
    assert "no tokenizer in" in count_tokens(recorded, tmp_path, ["x"]).why_none
    broken = tmp_path / "demo" / "model"
    broken.mkdir(parents=True)
    (broken / "tokenizer.json").write_text("{")
    (broken / "config.json").write_text('{"model_type": "qwen3"}')
    assert "not counted" in count_tokens(recorded, tmp_path, ["x"]).why_none
    copy.write_text("{}")
    assert "run file is not readable" in count_tokens(recorded, tmp_path, ["x"]).why_none
    assert count_tokens(tmp_path, tmp_path, ["x"]).counts == (None,)


def test_answers_of_a_predecessor_on_the_same_checkpoints_are_told_as_such(recorded: Path) -> None:
    (recorded / "predecessor-1111-1").mkdir()
    (recorded / "attempt-1").rename(recorded / "predecessor-1111-1" / "attempt-1")
    said = find_row(recorded, "v00002", step=None).answers
    assert [answer.attempt for answer in said][:2] == ["1 of a predecessor", "1 of a predecessor"]


def test_both_orders_of_a_pair_are_shown_where_the_judge_was_asked_both(recorded: Path) -> None:
    path = recorded / "data" / "validation.parquet"
    table = pq.read_table(path)
    swapped = [[{"role": "user", "content": "B before A"}]] * table.num_rows
    pq.write_table(table.append_column("messages_swapped", pa.array(swapped)), path)
    assert find_row(recorded, "v00002", step=0).swapped == (("user", "B before A"),)
