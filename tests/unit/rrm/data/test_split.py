"""The split: by prompt, by share, by seed, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.data.split import drawn, hold_groups
from rrm.row_id import prompt_group, row_id

GROUPS = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=60, unique=True)


@given(GROUPS, st.floats(0.01, 0.99), st.integers(0, 2**31 - 1), st.randoms())
def test_a_split_depends_on_prompts_and_seed_not_on_order(groups, fraction, seed, random) -> None:  # type: ignore[no-untyped-def]
    held = hold_groups(groups, validation=fraction, test=None, seed=seed)
    shuffled = list(groups) * 2  # rows of one prompt repeat its group
    random.shuffle(shuffled)
    assert held is not None
    assert hold_groups(shuffled, validation=fraction, test=None, seed=seed) == held
    assert 1 <= len(held.validation) < len(groups)
    assert held.validation <= set(groups)
    assert not held.test


@given(GROUPS, st.floats(0.01, 0.5), st.floats(0.01, 0.49), st.integers(0, 2**31 - 1))
def test_three_parts_share_no_prompt_and_none_is_empty(groups, validation, test, seed) -> None:  # type: ignore[no-untyped-def]
    held = hold_groups(groups, validation=validation, test=test, seed=seed)
    assert (held is None) == (len(groups) < 3)
    if held is not None:
        assert held.validation
        assert held.test
        assert not held.validation & held.test
        assert held.validation | held.test < set(groups)


@given(GROUPS, st.integers(0, 100))
def test_a_test_part_does_not_move_the_validation_part(groups: list[str], seed: int) -> None:
    many = [*groups, *(f"more {i}" for i in range(20))]
    alone = hold_groups(many, validation=0.1, test=None, seed=seed)
    beside = hold_groups(many, validation=0.1, test=0.2, seed=seed)
    assert alone is not None
    assert beside is not None
    assert beside.validation == alone.validation


@pytest.mark.parametrize(("groups", "validation", "test"), [(["a"], 0.5, None), (["a", "b"], 0.1, 0.1)])
def test_too_few_prompts_are_not_split(groups: list[str], validation: float, test: float | None) -> None:
    assert hold_groups(groups, validation=validation, test=test, seed=1) is None


@given(GROUPS, st.integers(0, 100))
def test_a_draw_is_a_permutation(keys: list[str], seed: int) -> None:
    assert sorted(drawn(keys, seed=seed)) == sorted(keys)


def test_another_seed_draws_otherwise() -> None:
    keys = [str(i) for i in range(40)]
    assert drawn(keys, seed=1) != drawn(keys, seed=2)


@given(
    st.text(),
    st.sampled_from([str.upper, str.lower, lambda text: f"  {text}\n", lambda text: text + "\u3000"]),
)
def test_a_prompt_written_a_little_otherwise_is_the_same_prompt(text: str, vary) -> None:  # type: ignore[no-untyped-def]
    if text.upper().casefold() == text.casefold() and text.lower().casefold() == text.casefold():
        assert prompt_group(vary(text)) == prompt_group(text)


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_row_ids_tell_rows_apart(a: list[str], b: list[str]) -> None:
    assert (row_id(*a) == row_id(*b)) == (a == b)
