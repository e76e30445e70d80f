"""Files go both ways: what RM-Gallery writes we read, what we write its own models and datasets read."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rrm.data.files import read_file
from rrm.datasets import converter_of, data_sample
from rrm.datasets.exchange import full_record, write_samples
from rrm.sample import DataSample
from rrm_api.spec_data import Source

pytestmark = pytest.mark.interop

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
FORMATS: dict[str, list[dict[str, Any]]] = {
    "helpsteer2_pairwise": [
        {
            "prompt": f"Which is it, {strength}?",
            "response_1": "one",
            "response_2": "two",
            "preference_strength": strength,
            "preference_statement": "s",
            "preference_elaboration": "e",
            "split": "train",
        }
        for strength in (-3, 0, 2)
    ],
    "helpsteer3_preference": [
        {
            "context": [*TURNS, {"role": "user", "content": f"And {preference}?"}],
            "response1": "one",
            "response2": "two",
            "overall_preference": preference,
            "individual_preference": [
                {"score": preference, "reasoning": "r", "feedback1": "", "feedback2": ""}
            ],
            "domain": "general",
            "language": "english",
        }
        for preference in (-2, 0, 1)
    ],
    "judgebench": [
        {
            "pair_id": f"p-{label}",
            "original_id": "o",
            "source": "mmlu-pro",
            "question": "q?",
            "response_model": "m",
            "response_A": "one",
            "response_B": "two",
            "label": label,
        }
        for label in ("A>B", "B>A")
    ],
}


def source_of(name: str) -> Source:
    return Source(format=name, uri="pvc://claim/rows.jsonl")


@pytest.fixture(scope="session")
def theirs(upstream: Any, helpsteer2_rows: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Rows through their converters: the folder of the exported files, and each sample as it was exported."""
    folder = tmp_path_factory.mktemp("theirs")
    formats = {"helpsteer2_pointwise": helpsteer2_rows, **FORMATS}
    return folder, upstream.run("their_files", folder=str(folder), formats=formats)


def as_read(file: Path) -> list[DataSample]:
    rows = read_file(file, "spec.data.train[0]", file.name)
    return [sample for row in rows for sample in data_sample.convert(row.values)]


def plain(record: Any) -> Any:
    return json.loads(json.dumps(record, default=lambda value: value.isoformat()))


def preferred_of(metadata: dict[str, Any]) -> Any:
    """Return the truth of a pair; JudgeBench's stands under another name there."""
    return metadata.get("preferred") or {"A>B": "A", "B>A": "B"}.get(metadata.get("label", ""))


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "json"])
@pytest.mark.parametrize("name", ["helpsteer2_pointwise", *FORMATS])
def test_what_their_converters_and_exporter_wrote_is_read_whole(theirs: Any, name: str, kind: str) -> None:
    folder, exported = theirs
    read = as_read(folder / f"{name}.{kind}")
    assert len(read) == len(exported[name]) > 0
    for found, sample in zip(read, exported[name], strict=True):
        assert plain(full_record(found)) == sample


@pytest.mark.parametrize("name", ["helpsteer2_pointwise", *FORMATS])
def test_our_converter_says_the_same_of_the_same_rows(
    theirs: Any, helpsteer2_rows: list[Any], name: str
) -> None:
    _, exported = theirs
    rows = helpsteer2_rows if name == "helpsteer2_pointwise" else FORMATS[name]
    ours = [sample for row in rows for sample in converter_of(source_of(name)).convert(row)]

    def said(sample: Any) -> Any:
        return {
            "input": [(it["role"], it["content"]) for it in sample["input"]],
            "output": [it["answer"]["content"] for it in sample["output"]],
            "preferred": preferred_of(sample["metadata"] or {}),
        }

    theirs_said = [said(sample) for sample in exported[name]]
    ours_said = [said(plain(full_record(sample))) for sample in ours]
    # Of a pair they write both orders; ours turns pairs where they are judged, not where they are read.
    assert all(it in theirs_said for it in ours_said)
    if name == "helpsteer2_pointwise":
        labels = [sample.output[0].answer.label for sample in ours]
        assert labels == [sample["output"][0]["answer"]["label"] for sample in exported[name]]


def test_what_we_write_is_a_sample_of_theirs_and_comes_back_unchanged(
    upstream: Any, helpsteer2_rows: list[Any], tmp_path: Path
) -> None:
    samples = [
        sample
        for name, rows in {"helpsteer2_pointwise": helpsteer2_rows, **FORMATS}.items()
        for row in rows
        for sample in converter_of(source_of(name)).convert(row)
    ]
    file = tmp_path / "ours.jsonl"
    write_samples(file, samples)
    validated = upstream.run("their_models", file=str(file))
    assert [plain(full_record(sample)) for sample in samples] == validated


def test_their_training_dataset_reads_our_parquet(
    upstream: Any, helpsteer2_rows: list[Any], made_tokenizer: Path, tmp_path: Path
) -> None:
    convert = converter_of(source_of("helpsteer2_pointwise")).convert
    samples = [sample for row in helpsteer2_rows for sample in convert(row)]
    file = tmp_path / "ours.parquet"
    write_samples(file, samples)
    assert {"unique_id", "input", "output", "metadata", "task_category", "source", "created_at"} <= set(
        pq.read_schema(file).names
    )
    question = {
        "entry_point": "helpfulness_pointwise:HelpfulnessPointwiseTrainDataset",
        "file": str(file),
    }
    (answer,) = upstream.run("their_dataset", questions=[question], tokenizer=str(made_tokenizer))
    found = answer["alone"]
    assert [item["ground_truth"] for item in found] == [str(row["helpfulness"]) for row in helpsteer2_rows]
    assert all(item["data_source"] == "helpsteer2" and item["raw_prompt_ids"] for item in found)
