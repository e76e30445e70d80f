"""Benchmarks are kept out of training: by prompt, by thirteen words in a row, each counted and shown."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.data.decontaminate import COMMON
from rrm.data.thirteen import SIZE, hashes_of, words_of
from rrm.errors import DataInvalid

LABELS = dict.fromkeys(("helpfulness", "correctness", "coherence", "complexity", "verbosity"), 2)
SOURCE = {"format": "helpsteer2_pointwise"}
WORD = st.text("abc", min_size=1, max_size=3)


def row(prompt: str, response: str) -> dict[str, Any]:
    return {"prompt": prompt, "response": response} | LABELS


def benchmark(prompt: str, chosen: str, rejected: str = "something else") -> dict[str, Any]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def clean(number: int) -> list[dict[str, Any]]:
    return [row(f"question {i}", f"answer {i}") for i in range(number)]


def said(*numbers: int) -> str:
    return " ".join(f"word{n}" for n in numbers)


@given(st.lists(WORD, max_size=40), st.lists(WORD, max_size=40))
def test_texts_share_a_hash_when_they_share_thirteen_words_in_a_row(a: list[str], b: list[str]) -> None:
    def pieces(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + SIZE]) for i in range(len(words) - SIZE + 1)}

    assert len(hashes_of(a)) == max(0, len(a) - SIZE + 1)
    shared = set(hashes_of(a).tolist()) & set(hashes_of(b).tolist())
    assert bool(shared) == bool(pieces(a) & pieces(b))
    assert len(set(hashes_of(a).tolist())) == len(pieces(a))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's  2024,\nisn't it?", ["it", "s", "2024", "isn", "t", "it"]),
        ("\uff26ULL \u00c4ther", ["full", "\u00e4ther"]),
        ("\u4f60\u597dworld", ["\u4f60", "\u597d", "world"]),
        ("... --- !", []),
    ],
    ids=["punctuation", "full width and case", "Chinese", "no words"],
)
def test_words_are_those_of_the_normalised_text(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def prepared(workshop: Any, rows: list[dict[str, Any]], *benchmarks: list[dict[str, Any]]) -> Any:
    data = {
        "train": [SOURCE | {"uri": workshop.write("train.jsonl", rows)}],
        "validation": {"fraction": "0.1"},
        "decontaminate": [
            {"format": "rewardbench", "uri": workshop.write(f"benchmark-{i}.jsonl", lines)}
            for i, lines in enumerate(benchmarks)
        ],
    }
    done = workshop.prepare(data=data)
    return {drop.reason: drop.rows for drop in done.data.dropped}


def test_overlap_is_dropped_counted_and_shown_for_each_benchmark(workshop: Any) -> None:
    rows = [
        *clean(40),
        row("What is  THE capital of France?", "Paris."),
        row(f"It goes on like this: {said(*range(20))}", "yes"),
        row(f"Explain {said(*range(30, 43))} please", "no"),
        row(f"twelve words are a coincidence: {said(*range(12))}", "maybe"),
    ]
    first = [benchmark("what is the capital of france?", "Paris it is")]
    second = [benchmark(said(*range(1, 14)), "continue"), benchmark(f"so {said(*range(29, 44))}", "x")]
    assert prepared(workshop, rows, first, second) == {
        "prompt of a benchmark": 1,
        "13 words of a benchmark's prompt": 2,
    }
    report = workshop.report["decontamination"]
    assert [(one["uri"], one["read"]) for one in report] == [
        ("pvc://c/benchmark-0.jsonl", 1),
        ("pvc://c/benchmark-1.jsonl", 2),
    ]
    assert [(one["samePrompt"]["rows"], one["thirteenWords"]["rows"]) for one in report] == [(1, 0), (0, 2)]
    assert report[0]["samePrompt"]["example"].endswith(": what is the capital of france")
    assert report[1]["thirteenWords"]["example"].endswith(": " + said(*range(1, 14)))
    left = {message["content"] for row in workshop.rows("train") for message in row["messages"]}
    assert not any("France" in text or "goes on like this" in text for text in left)
    assert (
        sum("coincidence" in text for part in ("train", "validation") for text in texts(workshop, part)) == 1
    )
    assert [p.rows for p in workshop.told if p.doing.startswith("read benchmark")] == [1, 2]


def texts(workshop: Any, part: str) -> list[str]:
    return [message["content"] for row in workshop.rows(part) for message in row["messages"]]


def test_the_first_benchmark_that_holds_a_row_is_named(workshop: Any) -> None:
    same = [benchmark("the very same question", "an answer")]
    rows = [*clean(40), row("The very same question", "mine")]
    assert prepared(workshop, rows, same, same) == {"prompt of a benchmark": 1}
    counts = [one["samePrompt"]["rows"] for one in workshop.report["decontamination"]]
    assert counts == [1, 0]


def test_what_models_say_is_not_held_against_a_row(workshop: Any) -> None:
    phrase = "I hope this helps! Let me know if you have any other questions or need more of it."
    rows = [*clean(40), row("how do I boil an egg?", f"Eight minutes. {phrase}"), row(phrase, "Thanks!")]
    assert prepared(workshop, rows, [benchmark("how do I fry an egg?", f"Butter first. {phrase}")]) == {}


def test_what_the_assistant_said_before_is_no_question(workshop: Any) -> None:
    turns = [("user", "go on"), ("assistant", said(*range(20))), ("user", f"and then {said(*range(40, 60))}")]
    prompt = [{"role": role, "content": text} for role, text in turns]
    line = benchmark("", "so it went") | {"prompt": prompt}
    rows = [*clean(40), row(f"hear: {said(*range(20))}", "yes"), row(f"why {said(*range(41, 55))}", "so")]
    assert prepared(workshop, rows, [line]) == {"13 words of a benchmark's prompt": 1}


@pytest.mark.parametrize(("prompts", "dropped"), [(COMMON, 1), (COMMON + 1, 0)])
def test_the_phrasing_of_a_whole_benchmark_is_no_question(workshop: Any, prompts: int, dropped: int) -> None:
    lines = [benchmark(f"{said(*range(13))} item {number}", "x") for number in range(prompts)]
    repeated = [benchmark(lines[0]["prompt"], f"y {number}") for number in range(20)]
    rows = [*clean(40), row(f"please: {said(*range(13))} mine", "an answer")]
    found = prepared(workshop, rows, lines + repeated)
    assert found == ({"13 words of a benchmark's prompt": 1} if dropped else {})


def test_words_are_not_joined_across_messages(workshop: Any) -> None:
    prompt = [{"role": "user", "content": said(*part)} for part in (range(10), range(10, 19))]
    rows = [*clean(40), row(said(*range(20)), "an answer")]
    assert prepared(workshop, rows, [benchmark("", "x") | {"prompt": prompt}]) == {}


def test_a_broken_benchmark_is_an_error_and_not_a_smaller_one(workshop: Any) -> None:
    with pytest.raises(DataInvalid, match=r"spec.data.decontaminate\[0\] .*line 2: expected .*chosen"):
        prepared(workshop, clean(40), [benchmark("a", "b"), {"prompt": "no answers"}])


def test_neighbours_in_a_text_have_different_hashes() -> None:
    hashes = hashes_of(words_of(said(*range(60)))).tolist()
    assert all(a != b for a, b in pairwise(hashes))
