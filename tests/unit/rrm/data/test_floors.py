"""`floors.parquet`: what surface floors say about exactly the validation rows, as those are written."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from rrm.data import prepare as preparing
from rrm.judge.guesses_file import FLOORS_FILE, read_guesses
from rrm.judge.surface import FloorRow, fit_surface_floors

LABELS = dict.fromkeys(("correctness", "coherence", "complexity", "verbosity"), 2)


def single(number: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"question {i}", "response": "word " * (1 + i % 9), "helpfulness": i % 5} | LABELS
        for i in range(number)
    ]


def short_first(number: int) -> list[dict[str, str]]:
    """Pairs whose better answer stands first and is the shorter one."""
    return [
        {"prompt": f"question {i}", "chosen": f"good {i}", "rejected": f"a bad answer at length {i}"}
        for i in range(number)
    ]


def prepare_single(workshop: Any) -> None:
    source = {"format": "helpsteer2_pointwise", "uri": workshop.write("rows.jsonl", single(200))}
    workshop.prepare(data={"train": [source], "validation": {"fraction": "0.2"}})


def prepare_pairs(workshop: Any) -> None:
    source = {"format": "rewardbench", "uri": workshop.write("pairs.jsonl", short_first(100))}
    workshop.pairwise(source)


@pytest.mark.parametrize(
    ("prepare", "floors"),
    [
        pytest.param(prepare_single, {"length-rule", "surface-ridge"}, id="single answers"),
        pytest.param(prepare_pairs, {"longer-wins", "shorter-wins", "surface-ridge"}, id="pairs"),
    ],
)
def test_each_floor_has_a_guess_for_each_validation_row_and_no_other(
    prepare: Callable[[Any], None], floors: set[str], workshop: Any
) -> None:
    prepare(workshop)
    guesses = read_guesses(workshop.data / FLOORS_FILE)
    rows = [row["row_id"] for row in workshop.rows("validation")]
    assert {name: list(by_row) for name, by_row in guesses.items()} == dict.fromkeys(floors, rows)
    means = {
        name: sum(guess.reward for guess in found.values()) / len(rows) for name, found in guesses.items()
    }
    reported = workshop.report["floors"]
    assert {name: reported[name]["reward"] for name in floors} == pytest.approx(means)


def test_a_turned_pair_has_its_answers_turned_too(workshop: Any) -> None:
    prepare_pairs(workshop)
    guesses = read_guesses(workshop.data / FLOORS_FILE)
    assert workshop.report["parts"]["validation"]["order"]["turned"] == 10
    for row in workshop.rows("validation"):
        assert guesses["shorter-wins"][row["row_id"]].verdict == row["label"]
        assert guesses["longer-wins"][row["row_id"]].verdict == -row["label"]


@pytest.mark.parametrize("prepare", [prepare_single, prepare_pairs])
def test_the_same_rows_give_the_same_bytes(
    prepare: Callable[[Any], None], new_workshop: Callable[[], Any]
) -> None:
    workshops = [new_workshop(), new_workshop()]
    for workshop in workshops:
        prepare(workshop)
    first, second = ((workshop.data / FLOORS_FILE).read_bytes() for workshop in workshops)
    assert first == second


def test_floors_that_cannot_be_written_leave_the_rows_as_they_were(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_single(workshop)
    before = workshop.contents

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing, "write_guesses", full)
    source = {"format": "helpsteer2_pointwise", "uri": workshop.write("rows.jsonl", single(100))}
    with pytest.raises(OSError, match="No space left"):
        workshop.prepare(data={"train": [source], "validation": {"fraction": "0.2"}})
    assert workshop.contents == before


def test_surface_floors_are_fitted_on_a_bounded_number_of_rows(
    new_workshop: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[list[FloorRow]] = []

    def fit(train: Iterable[FloorRow], rows: Iterable[FloorRow], **rules: Any) -> Any:
        fitted.append(list(train))
        return fit_surface_floors(fitted[-1], rows, **rules)

    monkeypatch.setattr(preparing, "fit_surface_floors", fit)
    monkeypatch.setattr(preparing, "MOST_FITTED", 50)
    written = []
    for rows in (single(200), single(200)[::-1]):
        workshop = new_workshop()
        source = {"format": "helpsteer2_pointwise", "uri": workshop.write("rows.jsonl", rows)}
        workshop.prepare(data={"train": [source], "validation": {"fraction": "0.2"}})
        written.append(read_guesses(workshop.data / FLOORS_FILE))
        assert {row.row_id for row in fitted[-1]} < {row["row_id"] for row in workshop.rows("train")}
    assert len(fitted[0]) == 50
    assert fitted[0] == fitted[1], "whatever the order of the files"
    assert written[0] == written[1]


def test_blind_floors_are_paid_by_strength(workshop: Any) -> None:
    rows = [
        {
            "prompt": f"question {i}",
            "response_1": f"one {i}",
            "response_2": f"two {i}",
            "preference_strength": s,
        }
        for i, s in enumerate([-1, 1] * 50)
    ]
    source = {"format": "helpsteer2_pairwise", "uri": workshop.write("pairs.jsonl", rows)}
    prepared = workshop.pairwise(source, pairwise={"strengthWeight": "0.9"})
    floors = {floor.name: float(floor.value) for floor in prepared.floors}
    assert floors["always-first"] == pytest.approx(0.5 * (0.1 + 0.9 / 3))
