"""Real rows of published sets: how many convert, how many are refused for what, and the truths counted."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rrm.datasets import converter_of, judge, label_of, scale_of
from rrm.datasets.refusal import RowRefused
from rrm_api.spec_data import Source
from rrm_api.spec_train import Method

Row = dict[str, Any]


def outcome(rows: list[Row], source: Source, method: Method) -> tuple[Counter[float], Counter[str]]:
    """Return how often each truth occurs, and each reason of a refusal."""
    truths: Counter[float] = Counter()
    refusals: Counter[str] = Counter()
    label, scale = label_of(source), scale_of(source, method)
    for row in rows:
        try:
            for sample in converter_of(source).convert(row):
                truths.update(one.label for one in judge(sample, method=method, label=label, scale=scale))
        except RowRefused as refusal:
            refusals[refusal.reason] += 1
    return truths, refusals


def asked(text: str, *answers: tuple[str, Row]) -> Row:
    """Return a record in the shape of a sample."""
    outputs = [{"answer": {"content": said, "label": label}} for said, label in answers]
    return {"unique_id": text[:40], "input": [{"content": text}], "output": outputs}


def topical_chat(row: Row) -> Row:
    """A user's converter for UniEval's rows."""
    return asked(row["source"], (row["system_output"], row["scores"]))


def prometheus_parts(instruction: str) -> tuple[str, str]:
    question, rest = instruction.split("###The instruction to evaluate:\n")[1].split(
        "###Response to evaluate:\n"
    )
    return question.strip(), rest.split("\n\n###")[0].strip()


def mt_bench(row: Row) -> Row:
    """A user's converter for Prometheus: the middle one of three scores."""
    question, answer = prometheus_parts(row["instruction"])
    return asked(question, (answer, {"score": sorted(row["gpt4_score"])[1]}))


def hhh(row: Row) -> Row:
    """A user's converter for Prometheus's pairs."""
    question, chosen = prometheus_parts(row["chosen_instruction"])
    rejected = prometheus_parts(row["rejected_instruction"])[1]
    return asked(question, (chosen, {"preference": "chosen"}), (rejected, {"preference": "rejected"}))


@pytest.fixture
def own(source_of: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Source]:
    """Return a maker of sources with one of the converters above."""
    import sys
    import types

    module = types.ModuleType("own_converters")
    vars(module).update(topical_chat=topical_chat, mt_bench=mt_bench, hhh=hhh)
    monkeypatch.setitem(sys.modules, "own_converters", module)
    return lambda name, **fields: source_of("custom", entry_point=f"own_converters:{name}", **fields)


def test_pandalm_with_its_booleans_and_empty_answers(lines: Any, source_of: Any) -> None:
    truths, refusals = outcome(lines("pandalm/testset-v1.jsonl"), source_of("pandalm"), Method.PAIRWISE)
    assert refusals == {
        "response1 is not text": 4,
        "response2 is not text": 2,
        "empty response1": 1,
        "empty response2": 4,
        "empty instruction": 1,
    }
    assert truths.total() + refusals.total() == 48
    assert truths == {-1.0: 8, 0.0: 9, 1.0: 19}


@pytest.mark.parametrize(("name", "rows"), [("train", 260), ("eval", 243)])
def test_every_helpsteer2_row_is_a_sample(name: str, rows: int, lines: Any, source_of: Any) -> None:
    source = source_of("helpsteer2_pointwise")
    truths, refusals = outcome(lines(f"helpsteer2/{name}.jsonl"), source, Method.POINTWISE)
    assert (truths.total(), refusals) == (rows, {})
    assert truths.keys() == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_means_of_annotators_are_no_scores(lines: Any, own: Any) -> None:
    source = own("topical_chat", label="overall", scale={"low": 1, "high": 5})
    truths, refusals = outcome(lines("unieval/topical_chat.jsonl"), source, Method.POINTWISE)
    whole = [row["scores"]["overall"] for row in lines("unieval/topical_chat.jsonl")]
    assert truths == Counter(score for score in whole if score == round(score))
    assert refusals == {"label between two scores": 24 - truths.total()}
    assert 0 < truths.total() < 24


def test_prometheus_scores_and_pairs(lines: Any, own: Any) -> None:
    scored = own("mt_bench", label="score", scale={"low": 1, "high": 5})
    truths, refusals = outcome(lines("prometheus/mt_bench_eval.jsonl"), scored, Method.POINTWISE)
    assert (truths.total(), refusals) == (8, {})
    truths, refusals = outcome(lines("prometheus/hhh_alignment_eval.jsonl"), own("hhh"), Method.PAIRWISE)
    assert (truths, refusals) == ({-1.0: 6}, {})
