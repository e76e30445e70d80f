"""Dataset and template classes of a user of RM-Gallery, and OpenJudge's own, unchanged, in our adapters."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.datasets import converter_of
from rrm.datasets.exchange import full_record
from rrm.sample import DataSample
from rrm_api.spec_data import Source

pytestmark = pytest.mark.interop

OPENJUDGE = "cookbooks.training_judge_model.grpo.chat_rl_dataset"
POINTWISE = "helpfulness_pointwise:HelpfulnessPointwiseTrainDataset"
PAIRWISE = "helpfulness_pairwise:HelpfulnessPairwiseTrainDataset"


def as_json(sample: DataSample) -> str:
    return json.dumps(full_record(sample), default=lambda value: value.isoformat(), ensure_ascii=False)


@pytest.fixture(scope="session")
def samples(helpsteer2_rows: list[Any]) -> list[DataSample]:
    convert = converter_of(Source(format="helpsteer2_pointwise", uri="pvc://c/rows")).convert
    return [sample for row in helpsteer2_rows[:12] for sample in convert(row)]


@pytest.fixture(scope="session")
def pairs(helpsteer2_rows: list[Any]) -> list[DataSample]:
    convert = converter_of(Source(format="helpsteer2_pairwise", uri="pvc://c/rows")).convert
    rows = [
        {
            "prompt": row["prompt"],
            "response_1": row["response"],
            "response_2": f"{other['response']} ({strength})",
            "preference_strength": strength,
            "preference_statement": "",
            "preference_elaboration": "",
        }
        for row, other, strength in zip(
            helpsteer2_rows, helpsteer2_rows[1:], (-2, 0, 1, 3, -1, 2), strict=False
        )
    ]
    return [sample for row in rows for sample in convert(row)]


def written(folder: Path, samples: list[DataSample], *, has_samples: bool = True) -> Path:
    """Write prepared rows as `rrm prepare` does for own rewards and templates."""
    rows = [
        {
            "row_id": f"r{number}",
            "prompt_group": f"g{number}",
            "pair_id": None,
            "data_source": "helpsteer2",
            "messages": [{"role": "user", "content": "ours"}],
            "messages_swapped": None,
            "label": 1.0,
            "strength": 1.0,
            "scale_low": 0.0,
            "scale_high": 4.0,
            "prompt_tokens": 3,
            "sample": sample.model_dump_json(exclude_none=True) if has_samples else None,
        }
        for number, sample in enumerate(samples)
    ]
    texts = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    kinds = {"messages": texts, "messages_swapped": texts, "pair_id": pa.string(), "sample": pa.string()}
    numbers = dict.fromkeys(("label", "strength", "scale_low", "scale_high"), pa.float64())
    schema = pa.schema(
        [
            (
                name,
                kinds.get(name)
                or numbers.get(name)
                or (pa.int32() if name == "prompt_tokens" else pa.string()),
            )
            for name in rows[0]
        ]
    )
    file = folder / "train.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file


def their_file(folder: Path, samples: list[DataSample], *, is_nested: bool) -> Path:
    """Write what their own exporter leaves: JSON texts, or records where OpenJudge reads them."""
    rows = [json.loads(as_json(sample)) for sample in samples]
    for row in rows:
        row["metadata"] = json.dumps(row["metadata"])
        if not is_nested:
            row |= {name: json.dumps(row[name]) for name in ("input", "output")}
        else:
            row |= {
                "input": [{"role": it["role"], "content": it["content"]} for it in row["input"]],
                "output": [
                    {"answer": {name: it["answer"][name] for name in ("role", "content", "label")}}
                    for it in row["output"]
                ],
            }
    file = folder / "theirs.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


DATASETS = {
    POINTWISE: "samples",
    PAIRWISE: "pairs",
    f"{OPENJUDGE}:PointwiseChatRLDataset": "samples",
    f"{OPENJUDGE}:PairwiseChatRLDataset": "pairs",
}
REFUSED = {
    "helpfulness_pointwise:CustomTrainDataset": (13, "does not define _apply_chat_template"),
    "helpfulness_pointwise:PointwiseTrainTemplate": (13, "expected a subclass"),
    "helpfulness_pointwise:Nothing": (13, "has no Nothing"),
    POINTWISE: (10, "run `rrm prepare` again"),
}


@pytest.fixture(scope="session")
def files(
    samples: list[DataSample], pairs: list[DataSample], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """For each dataset: its own file, and the prepared rows of the same samples."""
    found = {}
    for entry_point, kind in DATASETS.items():
        folder, chosen = tmp_path_factory.mktemp("rows"), {"samples": samples, "pairs": pairs}[kind]
        theirs = their_file(folder, chosen, is_nested=entry_point.startswith(OPENJUDGE))
        found[entry_point] = {"file": str(theirs), "prepared": str(written(folder, chosen))}
    return found


@pytest.fixture(scope="session")
def on_verl_040(
    upstream: Any,
    files: dict[str, dict[str, str]],
    samples: list[DataSample],
    made_tokenizer: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    bare = written(tmp_path_factory.mktemp("bare"), samples, has_samples=False)
    questions = {name: {"entry_point": name, **file} for name, file in files.items()}
    for name, (code, _) in REFUSED.items():
        prepared = str(bare) if code == 10 else files[POINTWISE]["prepared"]
        questions[f"refused {name}"] = {"entry_point": name, "prepared": prepared}
    few = {"entry_point": POINTWISE, "prepared": files[POINTWISE]["prepared"], "max_samples": 5}
    questions["few"] = few
    answers = upstream.run("their_dataset", questions=list(questions.values()), tokenizer=str(made_tokenizer))
    return dict(zip(questions, answers, strict=True))


@pytest.fixture(scope="session")
def on_verl_091(
    upstream_on_new_verl: Any, files: dict[str, dict[str, str]], made_tokenizer: Path
) -> dict[str, Any]:
    questions = [{"entry_point": name, **files[name]} for name in (POINTWISE, PAIRWISE)]
    answers = upstream_on_new_verl.run("their_dataset", questions=questions, tokenizer=str(made_tokenizer))
    return dict(zip((POINTWISE, PAIRWISE), answers, strict=True))


def require_their_ids(found: dict[str, Any], *, is_padded: bool) -> None:
    assert len(found["adapted"]) == len(found["alone"]) > 0
    for number, (theirs, ours) in enumerate(zip(found["alone"], found["adapted"], strict=True)):
        assert ours["raw_prompt_ids"] == theirs["raw_prompt_ids"]
        assert ours["ground_truth"] == theirs["ground_truth"] == ours["rrm"]["ground_truth"]
        assert ours["data_source"] == theirs["data_source"]
        assert ours["raw_prompt"][-1]["content"]
        assert (ours["rrm"]["row_id"], ours["rrm"]["split"]) == (f"r{number}", "train")
        assert ("input_ids" in ours["keys"]) is is_padded
        assert is_padded or "dummy_tensor" in ours["keys"]


@pytest.mark.parametrize("entry_point", list(DATASETS))
def test_the_engine_gets_the_ids_of_their_item_on_the_verl_they_were_written_for(
    on_verl_040: dict[str, Any], entry_point: str
) -> None:
    require_their_ids(on_verl_040[entry_point], is_padded=True)


@pytest.mark.parametrize("entry_point", [POINTWISE, PAIRWISE])
def test_the_engine_gets_the_ids_of_their_item_on_the_verl_of_today(
    on_verl_091: dict[str, Any], entry_point: str
) -> None:
    require_their_ids(on_verl_091[entry_point], is_padded=False)


def test_their_classes_give_the_same_ids_on_both(
    on_verl_040: dict[str, Any], on_verl_091: dict[str, Any]
) -> None:
    for name in (POINTWISE, PAIRWISE):
        old, new = on_verl_040[name]["alone"], on_verl_091[name]["alone"]
        assert [it["raw_prompt_ids"] for it in old] == [it["raw_prompt_ids"] for it in new]


def test_more_arguments_than_they_know_do_no_harm_and_max_samples_holds(on_verl_040: dict[str, Any]) -> None:
    assert len(on_verl_040["few"]["adapted"]) == 5


@pytest.mark.parametrize("entry_point", list(REFUSED))
def test_a_class_that_cannot_work_is_refused_in_plain_words(
    on_verl_040: dict[str, Any], entry_point: str
) -> None:
    code, says = REFUSED[entry_point]
    found = on_verl_040[f"refused {entry_point}"]["error"]
    assert found[0] == code
    assert says in found[1]


@pytest.mark.parametrize(
    ("entry_point", "method"),
    [
        ("helpfulness_pointwise:PointwiseTrainTemplate", "pointwise"),
        ("helpfulness_pairwise:PairwiseComparisonTemplate", "pairwise"),
    ],
)
def test_a_template_writes_what_their_reward_module_writes_and_asks_for_one_reasoning(
    upstream: Any, samples: list[DataSample], pairs: list[DataSample], entry_point: str, method: str
) -> None:
    chosen = samples if method == "pointwise" else pairs
    found = upstream.run(
        "their_templates",
        entry_point=entry_point,
        method=method,
        task="Judge.",
        rubrics=["Right", "Short"],
        samples=[json.loads(as_json(sample)) for sample in chosen],
        answers=[],
    )
    # On Python 3.11 and later their own prompt shows the enumeration's name where 3.10 showed the role.
    assert found["prompts"].keys() == {"Native", "Prompted", "None"}
    for kind, prompts in found["prompts"].items():
        hides_reason = {"Native": "True", "Prompted": "False", "None": "True"}[kind]
        assert len(prompts) == len(chosen)
        for prompt in prompts:
            theirs = prompt["theirs"][hides_reason].replace("MessageRole.USER", "user")
            assert prompt["ours"] == {"role": "user", "content": theirs}
            assert ("<reason>" in theirs) is (kind == "Prompted")


@pytest.mark.parametrize(
    ("entry_point", "method", "expected"),
    [
        (
            "helpfulness_pointwise:PointwiseTrainTemplate",
            "pointwise",
            {
                "<think>hm</think><score>3</score>": (3, None),
                "<score> 0 </score>": (0, None),
                "<score>9</score>": (None, "out_of_range"),
                "<score>3.5</score>": (None, "not_integer"),
                "no": (None, "missing"),
                "": (None, "missing"),
            },
        ),
        (
            "helpfulness_pairwise:PairwiseComparisonTemplate",
            "pairwise",
            {
                "<preference>A</preference>": (-1, None),
                "<think>x</think><preference>response b</preference>": (1, None),
                "<preference>equal</preference>": (0, None),
                "<preference>both</preference>": (None, "ambiguous"),
                "A": (None, "missing"),
            },
        ),
    ],
)
def test_a_template_reads_what_it_reads_and_the_rest_is_counted_by_kind(
    upstream: Any, entry_point: str, method: str, expected: dict[str, tuple[int | None, str | None]]
) -> None:
    found = upstream.run(
        "their_templates",
        entry_point=entry_point,
        method=method,
        task="Judge.",
        rubrics=[],
        samples=[],
        answers=list(expected),
    )
    assert [(score, kind) for _, score, kind in found["verdicts"]] == list(expected.values())
