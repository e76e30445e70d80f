"""The split: by prompt, by share, by seed, and by nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from rrm.data.split import drawn, validation_groups
from rrm.row_id import prompt_group, row_id

GROUPS = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=60, unique=True)


@given(GROUPS, st.floats(0.01, 0.99), st.integers(0, 2**31 - 1), st.randoms())
def test_a_split_depends_on_prompts_and_seed_not_on_order(groups, fraction, seed, random) -> None:  # type: ignore[no-untyped-def]
    held = validation_groups(groups, fraction=fraction, seed=seed)
    shuffled = list(groups) * 2  # rows of one prompt repeat its group
    random.shuffle(shuffled)
    assert validation_groups(shuffled, fraction=fraction, seed=seed) == held
    assert 1 <= len(held) < len(groups)
    assert held <= set(groups)


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
