"""What is not finished lies in a folder of its own, is read back in any order, and leaves nothing behind."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.data.spill import Spill, workplace
from rrm_api.run import Layout

RECORD = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)


@given(st.lists(RECORD, max_size=30), st.randoms())
def test_records_come_back_in_any_order(tmp_path_factory, records: list[Any], random: Any) -> None:  # type: ignore[no-untyped-def]
    with Spill(tmp_path_factory.mktemp("spill") / "texts") as spill:
        places = [(spill.append(record), record) for record in records]
        random.shuffle(places)
        assert all(spill.record(at) == record for at, record in places)


def test_folders_that_were_not_there_are_gone_again(tmp_path: Path) -> None:
    with workplace(Layout(tmp_path / "a/b", "judge")) as folder:
        assert folder == tmp_path / "a/b/.judge.preparing"
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_was_made_meanwhile_stays(tmp_path: Path) -> None:
    with workplace(Layout(tmp_path / "volume", "judge")):
        (tmp_path / "volume/judge").mkdir()
    assert [path.name for path in (tmp_path / "volume").iterdir()] == ["judge"]


def fail_in(layout: Layout) -> None:
    with workplace(layout) as folder:
        assert list(folder.iterdir()) == []
        raise OSError("no space")


def test_an_error_leaves_nothing_and_a_killed_predecessors_rest_is_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "judge")
    rest = tmp_path / ".judge.preparing/texts.jsonl"
    rest.parent.mkdir()
    rest.write_text("half a row")
    with pytest.raises(OSError, match="no space"):
        fail_in(layout)
    assert list(tmp_path.iterdir()) == []
