"""Surface floors: what twelve features foretell, on real rows and on made-up ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from rrm.judge.agreement import spearman
from rrm.judge.baselines import fit_floors, score_floors
from rrm.judge.features import FEATURES, surface_features
from rrm.judge.guesses_file import FLOORS_FILE, read_guesses, write_guesses
from rrm.judge.surface import FloorRow, Guess, _fit_ridge, _rising, fit_surface_floors, mean_rewards
from rrm.rewards.payment import pay
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_data import ExponentialReward, PairwiseReward, Reward

SAMPLES = Path(__file__).parents[3] / "data/helpsteer2"
SCALE = Scale(0, 4)
PAID = Reward(exponential=ExponentialReward())
OWN = Reward(entry_point="mine:reward")


def real_rows(name: str, label: str) -> list[FloorRow]:
    lines = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [FloorRow(f"{i}", r["prompt"], (r["response"],), r[label]) for i, r in enumerate(rows)]


def of_floor(guesses: tuple[Guess, ...], floor: str) -> list[Guess]:
    return [guess for guess in guesses if guess.floor == floor]


def test_length_foretells_verbosity_and_the_floors_know_it() -> None:
    """On the short HelpSteer2 rows a constant earns .77; who counts letters ranks clearly better."""
    train, rows = real_rows("train", "verbosity"), real_rows("eval", "verbosity")
    guesses = fit_surface_floors(iter(train), iter(rows), scale=SCALE, reward=PAID)
    labels = [row.label for row in rows]
    blind = score_floors(
        fit_floors([r.label for r in train], scale=SCALE, reward=PAID), labels, scale=SCALE, reward=PAID
    )
    earned, best = mean_rewards(guesses), max(blind.values())
    assert earned["length-rule"] > best - 0.02
    assert earned["surface-ridge"] > best - 0.02
    for floor, least in (("length-rule", 0.35), ("surface-ridge", 0.40)):
        assert spearman(labels, [guess.score for guess in of_floor(guesses, floor)]) > least


def test_helpfulness_of_short_answers_is_hardly_foretold() -> None:
    train, rows = real_rows("train", "helpfulness"), real_rows("eval", "helpfulness")
    guesses = fit_surface_floors(train, rows, scale=SCALE, reward=PAID)
    rank = spearman([row.label for row in rows], [g.score for g in of_floor(guesses, "surface-ridge")])
    assert 0 < rank < 0.35


def test_every_guess_is_paid_for_its_verdict() -> None:
    train = real_rows("train", "verbosity")
    for guess, row in zip(fit_surface_floors(train, train, scale=SCALE, reward=PAID), train * 2, strict=True):
        assert guess.row_id == row.row_id
        assert guess.verdict in SCALE
        assert guess.reward == pay(guess.verdict, row.label, scale=SCALE, reward=PAID)


@pytest.mark.parametrize("order", [1, -1], ids=["longer is better", "shorter is better"])
def test_a_rule_on_length_finds_its_direction(order: int) -> None:
    rows = [FloorRow(f"{n}", "q", ("x" * (5 + n),), n // 50) for n in range(250)]
    rows = rows if order > 0 else [replace(row, label=4 - row.label) for row in rows]
    guesses = of_floor(fit_surface_floors(rows, rows, scale=SCALE, reward=PAID), "length-rule")
    assert [guess.verdict for guess in guesses] == [row.label for row in rows]
    assert all(np.diff([guess.score for guess in guesses]) * order > 0)


def test_with_few_rows_the_rule_is_a_constant() -> None:
    rows = [FloorRow(f"{n}", "q", ("x" * n,), 3 if n < 30 else 0) for n in range(40)]
    guesses = of_floor(fit_surface_floors(rows, rows, scale=SCALE, reward=PAID), "length-rule")
    assert {guess.verdict for guess in guesses} == {3}


@given(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=5))
def test_the_rising_choice_is_the_best_one(paid: list[list[float]]) -> None:
    def best(row: int, least: int) -> float:
        if row == len(paid):
            return 0.0
        return max(paid[row][column] + best(row + 1, column) for column in range(least, 3))

    total, columns = _rising(np.array(paid))
    assert total == pytest.approx(best(0, 0))
    assert list(columns) == sorted(columns)
    assert sum(paid[i][column] for i, column in enumerate(columns)) == pytest.approx(total)


@pytest.mark.parametrize("has_constant", [True, False])
def test_the_ridge_is_scikit_learns(has_constant: bool) -> None:
    chance = np.random.default_rng(1)
    features, labels = chance.normal(3, 2, (60, 12)), chance.normal(1, 1, 60)
    features[:, 3] = 3.0 if has_constant else 0.0  # a feature that never changes
    middle = features.mean(axis=0) if has_constant else np.zeros(12)
    spread = np.sqrt(((features - middle) ** 2).mean(axis=0))
    spread[3] = 1
    expected = Ridge(alpha=1.0, fit_intercept=has_constant).fit((features - middle) / spread, labels)
    fresh = chance.normal(3, 2, (20, 12))
    found = _fit_ridge(features, labels, has_constant=has_constant)(fresh)
    assert found == pytest.approx(expected.predict((fresh - middle) / spread))


def pair(row_id: str, first: str, second: str, label: int, strength: float = 1.0) -> FloorRow:
    return FloorRow(row_id, "Why is the sky blue?", (first, second), label, strength)


PAIRS = [
    pair("longer better", "No.", "It scatters blue light more.", 1),
    pair("shorter better", "It scatters blue light more.", "No.", 1),
    pair("equal", "abc", "xyz", 0),
]


@pytest.mark.parametrize(
    ("floor", "verdicts", "rewards"),
    [
        pytest.param("longer-wins", [1, -1, 0], [1.0, 0.0, 1.0], id="the longer one, a tie if equal"),
        pytest.param("shorter-wins", [-1, 1, 0], [0.0, 1.0, 1.0], id="the shorter one, a tie if equal"),
    ],
)
def test_rules_on_the_length_of_pairs(floor: str, verdicts: list[int], rewards: list[float]) -> None:
    reward = Reward(pairwise=PairwiseReward())
    guesses = of_floor(fit_surface_floors(PAIRS, PAIRS, scale=PREFERENCE, reward=reward), floor)
    assert [guess.verdict for guess in guesses] == verdicts
    assert [guess.reward for guess in guesses] == rewards
    assert [guess.score for guess in guesses] == verdicts


def test_floors_that_read_both_answers_cannot_look_at_the_place() -> None:
    train = [pair(f"{n}", "word " * (n % 7), "word " * (n % 5), 1 if n % 3 else -1) for n in range(60)]
    turned = [replace(row, answers=row.answers[::-1], label=-row.label) for row in train]
    reward = Reward(pairwise=PairwiseReward())
    one = fit_surface_floors(train, train, scale=PREFERENCE, reward=reward)
    other = fit_surface_floors(train, turned, scale=PREFERENCE, reward=reward)
    assert [guess.verdict for guess in one] == [-guess.verdict for guess in other]
    assert [guess.reward for guess in one] == [guess.reward for guess in other]


def test_a_pair_is_paid_by_strength_and_for_both_orders() -> None:
    """Strength weight .5: a faint preference pays half. Right in one order is right in both, and paid so."""
    reward = Reward(pairwise=PairwiseReward(strength_weight="0.5", swap_consistency_weight="0.4"))
    rows = [replace(PAIRS[0], strength=0.0), PAIRS[1]]
    guesses = of_floor(fit_surface_floors(rows, rows, scale=PREFERENCE, reward=reward), "longer-wins")
    assert [guess.reward for guess in guesses] == [pytest.approx(0.6 * 0.5 + 0.4), 0.0]


def test_what_a_users_own_reward_pays_is_not_known() -> None:
    rows = real_rows("train", "verbosity")
    guesses = fit_surface_floors(rows, rows, scale=SCALE, reward=OWN)
    assert {guess.reward for guess in guesses} == {None}
    assert mean_rewards(guesses) == {}
    assert len({guess.verdict for guess in guesses}) > 1, "they still foretell, by distance"


@pytest.mark.parametrize(
    ("train", "rows", "scale", "message"),
    [
        pytest.param([], PAIRS, PREFERENCE, "at least one training row", id="nothing to fit on"),
        pytest.param(
            PAIRS, PAIRS, SCALE, "row longer better: expected 1 answers, found 2", id="a pair for a score"
        ),
        pytest.param(
            PAIRS,
            [FloorRow("x", "q", ("a",), 1)],
            PREFERENCE,
            "row x: expected 2 answers, found 1",
            id="half a pair",
        ),
    ],
)
def test_rows_of_another_kind_are_refused(
    train: list[FloorRow], rows: list[FloorRow], scale: Scale, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_surface_floors(train, rows, scale=scale, reward=PAID)


def feature(name: str) -> Callable[[str, str], float]:
    return lambda question, answer: float(surface_features(question, answer)[FEATURES.index(name)])


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("log_length", "four", np.log(5)),
        ("log_words", "two words, no_more", np.log(5)),
        ("overlap", "Blue is blue nicely", 2 / 3),
        ("coverage", "Blue is blue nicely", 2 / 5),
        ("refusal", "I\u2019m here, but can\u2019t.", 1),
        ("refusal", "I don't have access to that", 1),
        ("refusal", "Canned tomatoes", 0),
        ("list_items", "1. a\n2) b\n - c\n* d\n5 e\n-f", np.log(5)),
        ("markup", "a **bold** word", 1),
        ("markup", "text\n## Head", 1),
        ("markup", "number #1", 0),
        ("code", "```py```", 1),
        ("variety", "a a b B", 0.5),
        ("digits", "a1b2", 0.5),
        ("question", "why?", 1),
        ("unfinished", "and then we ", 1),
        ("unfinished", "done. ", 0),
    ],
)
def test_features_see_the_surface(name: str, answer: str, value: float) -> None:
    assert feature(name)("Why is the sky blue?", answer) == pytest.approx(value)


@given(st.text(max_size=60), st.text(max_size=60))
def test_features_are_finite_for_any_text(question: str, answer: str) -> None:
    found = surface_features(question, answer)
    assert found.shape == (len(FEATURES),) == (12,)
    assert np.isfinite(found).all()


def test_guesses_outlive_their_file(tmp_path: Path) -> None:
    guesses = fit_surface_floors(PAIRS, PAIRS, scale=PREFERENCE, reward=Reward(pairwise=PairwiseReward()))
    guesses += (Guess("own", "equal", 0.5, 1, None),)
    path = tmp_path / "data" / FLOORS_FILE
    write_guesses(path, guesses)
    first = path.read_bytes()
    found = read_guesses(path)
    assert tuple(guess for by_row in found.values() for guess in by_row.values()) == guesses
    assert found["longer-wins"]["equal"].verdict == 0
    write_guesses(path, guesses)
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == [FLOORS_FILE]


def test_rows_of_an_earlier_version_have_no_guesses(tmp_path: Path) -> None:
    assert read_guesses(tmp_path / FLOORS_FILE) == {}
