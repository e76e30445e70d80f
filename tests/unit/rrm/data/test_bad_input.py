"""Data nobody can train on: one error, exit 10, a message with source, file, line and what was expected."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.data.prepare import prepare
from rrm.errors import DataInvalid, ModelUnavailable, VolumeUnavailable
from rrm_api.conditions import Reason
from rrm_api.run import Intent, Layout

ROW = {"prompt": "c#", "response": "A language."} | dict.fromkeys(
    ("helpfulness", "correctness", "coherence", "complexity", "verbosity"), 3
)


def lines(*rows: object) -> bytes:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def rows(number: int) -> list[dict[str, object]]:
    return [ROW | {"prompt": f"question {i}"} for i in range(number)]


BAD = {
    "missing file": (None, "train.jsonl", ["a file or folder train.jsonl", "none (beside it: other.jsonl)"]),
    "missing in a folder": (None, "deep/train.jsonl", ["a file or folder deep/train.jsonl"]),
    "empty file": (b"", "train.jsonl", ["file train.jsonl", "at least one row", "an empty file"]),
    "empty list": (b"[]", "train.json", ["at least one row"]),
    "empty gzip": (gzip.compress(b""), "train.jsonl.gz", ["an empty file"]),
    "broken JSON in line 7": (
        lines(*rows(6), '{"prompt": "x"', *rows(3)),
        "train.jsonl",
        ["spec.data.train[0] pvc://c/train.jsonl, file train.jsonl, line 7", "valid JSON", "broken JSON"],
    ),
    "broken JSON text": (
        lines(*rows(2), '{"prompt": "x\n'),
        "train.jsonl",
        ["line 3", "broken JSON: Invalid control character at column 14"],
    ),
    "broken JSON list": (
        b'[\n{"prompt": 1},\n{"prompt" 2}]',
        "train.json",
        ["file train.json, line 3", "valid JSON"],
    ),
    "not a list": (b'{"rows": []}', "train.json", ["a JSON list of objects", "found dict"]),
    "not an object": (lines(*rows(2), "[1]"), "train.jsonl", ["line 3", "a JSON object", "found list"]),
    "not UTF-8": (b'{"prompt": "\xff"}\n', "train.jsonl", ["line 1", "UTF-8 text", "byte 0xff"]),
    "cut gzip": (gzip.compress(lines(*rows(50)))[:-20], "train.jsonl.gz", ["a whole gzip file"]),
    "not gzip": (lines(*rows(5)), "train.jsonl.gz", ["a whole gzip file", "Not a gzipped file"]),
    "cut zstd": (zstd(lines(*rows(50)))[:-20], "train.jsonl.zst", ["a whole zstd file", "Truncated"]),
    "not zstd": (lines(*rows(5)), "train.jsonl.zst", ["a whole zstd file", "file train.jsonl.zst"]),
    "empty zstd": (zstd(b""), "train.jsonl.zst", ["an empty file"]),
    "cut parquet in gzip": (gzip.compress(b"PAR1 not really"), "train.parquet.gz", ["a parquet file"]),
    "empty parquet": (b"", "train.parquet", ["an empty file"]),
    "broken JSON in zstd": (
        zstd(lines(*rows(2), '{"prompt"')),
        "train.jsonl.zst",
        ["file train.jsonl.zst, line 3", "valid JSON"],
    ),
    "JSON nested too deeply": (b"[" * 100_000, "train.json", ["a row", "nested too deeply"]),
    "not parquet": (b"PAR1 not really", "train.parquet", ["a parquet file"]),
    "unknown kind": (
        b"a,b\n",
        "train.csv",
        ["a file that ends in .json, .jsonl, .parquet, each also .gz and .zst"],
    ),
    "a number that no float holds": (
        lines(*rows(3), ROW | {"helpfulness": 10**400}),
        "train.jsonl",
        ["line 4", "helpfulness: a whole number from 0 to 4", "1 of 4 rows are invalid"],
    ),
    "a number of too many digits": (
        lines(*rows(3), '{"prompt": ' + "9" * 5000 + "}"),
        "train.jsonl",
        ["file train.jsonl, line 4", "valid JSON", "digits"],
    ),
    "label 9 on 0 to 4": (
        lines(*rows(3), ROW | {"helpfulness": 9}),
        "train.jsonl",
        ["line 4", "helpfulness: a whole number from 0 to 4", "found int 9", "1 of 4 rows are invalid"],
    ),
    "missing column": (
        lines({k: v for k, v in ROW.items() if k != "response"}),
        "train.jsonl",
        ["line 1", "the columns coherence, complexity", "found no response"],
    ),
    "a response that is no string": (
        lines(*rows(3), ROW | {"response": ["a"]}),
        "train.jsonl",
        ["line 4", "response: a string", "found list ['a']"],
    ),
    "all rows invalid": (
        lines(*[row | {"response": 5} for row in rows(20)]),
        "train.jsonl",
        ["line 1", "all of 20 rows are invalid", "spec.data.maxInvalidFraction allows 0.01"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_named_with_its_place(
    case: str, tmp_path: Path, demo_claims: Path, make_intent: Callable[..., Intent]
) -> None:
    content, name, words = BAD[case]
    claim = with_model(tmp_path, demo_claims) / "c"
    claim.mkdir()
    (claim / "other.jsonl").write_bytes(lines(ROW))
    if content is not None:
        (claim / name).write_bytes(content)
    source = {"format": "helpsteer2_pointwise", "uri": f"pvc://c/{name}"}
    intent = make_intent(data={"train": [source]})
    with pytest.raises(DataInvalid) as refused:
        run(intent, tmp_path)
    for word in words:
        assert word in str(refused.value)
    assert (refused.value.reason, refused.value.exit_code) == (Reason.DATA_INVALID, 10)
    assert not (tmp_path / "volume").exists()


def test_a_few_invalid_rows_are_counted_and_shown(
    tmp_path: Path, demo_claims: Path, make_intent: Callable[..., Intent]
) -> None:
    claims = with_model(tmp_path, demo_claims)
    claim = claims / "c"
    claim.mkdir()
    (claim / "train.jsonl").write_bytes(lines(*rows(150), ROW | {"helpfulness": 9}))
    source = {"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}
    prepared = run(make_intent(data={"train": [source]}), tmp_path)
    assert {drop.reason: drop.rows for drop in prepared.data.dropped} == {"label out of range": 1}
    assert prepared.read_rows == 151
    report = json.loads((tmp_path / "volume/tiny-judge/data/data.json").read_text())
    example = report["parts"]["train"]["dropped"]["label out of range"]["example"]
    assert example.startswith("spec.data.train[0] pvc://c/train.jsonl, file train.jsonl, line 151: expected")


def test_a_column_name_that_cannot_be_written_is_shown_all_the_same(workshop) -> None:  # type: ignore[no-untyped-def]
    labels = dict.fromkeys(("helpfulness", "correctness", "coherence", "complexity", "verbosity"), 2)
    rows = [{"prompt": f"question {i}", "response": "an answer"} | labels for i in range(200)]
    uri = workshop.write("rows.jsonl", [*rows, rows[0] | {"\ud800": 1}])
    source = {"format": "helpsteer2_pointwise", "uri": uri}
    workshop.prepare(data={"train": [source], "validation": {"fraction": "0.1"}})
    example = workshop.report["parts"]["train"]["dropped"]["unknown column"]["example"]
    assert example.endswith("found also \\ud800")


def test_the_same_rows_under_two_labels_are_two_rows_each(
    tmp_path: Path, demo_claims: Path, make_intent: Callable[..., Intent]
) -> None:
    claims = with_model(tmp_path, demo_claims)
    (claims / "c").mkdir()
    (claims / "c/train.jsonl").write_bytes(lines(*rows(50)))
    source = {"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}
    both = [source | {"label": label} for label in ("helpfulness", "verbosity")]
    prepared = run(make_intent(data={"train": both, "validation": {"fraction": "0.1"}}), tmp_path)
    assert prepared.data.train + prepared.data.validation == 100
    assert prepared.data.dropped == []
    ids = [row["row_id"] for row in read_rows(tmp_path)]
    assert len(set(ids)) == len(ids)


def read_rows(tmp_path: Path) -> list[dict[str, object]]:
    folder = tmp_path / "volume/tiny-judge/data"
    tables = (pq.read_table(folder / f"{part}.parquet") for part in ("train", "validation"))
    return [row for table in tables for row in table.to_pylist()]


def test_a_claim_that_is_not_here_names_the_folder(
    tmp_path: Path, make_intent: Callable[..., Intent]
) -> None:
    with pytest.raises(
        VolumeUnavailable, match=r"claim demo: expected its folder at .*/claims/demo"
    ) as refused:
        run(make_intent(), tmp_path)
    assert refused.value.exit_code == 11


def test_a_path_may_not_leave_its_claim(tmp_path: Path, make_intent: Callable[..., Intent]) -> None:
    (tmp_path / "claims/c").mkdir(parents=True)
    (tmp_path / "claims/secret.jsonl").write_bytes(lines(ROW))
    source = {"format": "helpsteer2_pointwise", "uri": "pvc://c/../secret.jsonl"}
    with pytest.raises(DataInvalid, match="a path inside the claim"):
        run(make_intent(data={"train": [source]}), tmp_path)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("model.safetensors", r"expected config.json and \*.safetensors weights"),
        ("config.json", "expected config.json"),
        ("tokenizer.json", "expected a tokenizer"),
        ("chat_template.jinja", "with a chat template, found one without"),
        ("", "expected a folder with config.json, tokenizer and weights, found none"),
    ],
)
def test_a_model_that_is_not_whole_is_unavailable(
    lost: str, words: str, tmp_path: Path, demo_claims: Path, make_intent: Callable[..., Intent]
) -> None:
    claims = with_model(tmp_path, demo_claims)
    (claims / "demo").unlink()
    shutil.copytree(demo_claims / "demo", claims / "demo")
    if lost:
        (claims / "demo/model" / lost).unlink()
    path = "model" if lost else "elsewhere"
    model = {"name": "tiny", "volume": {"claimName": "demo", "path": path}, "reasoning": "None"}
    with pytest.raises(ModelUnavailable, match=words) as refused:
        run(make_intent(model=model), tmp_path)
    assert (refused.value.reason, refused.value.exit_code) == (Reason.MODEL_UNAVAILABLE, 12)


def with_model(tmp_path: Path, demo_claims: Path) -> Path:
    claims = tmp_path / "claims"
    claims.mkdir()
    (claims / "demo").symlink_to(demo_claims / "demo")
    return claims


def run(intent: Intent, tmp_path: Path):  # type: ignore[no-untyped-def]
    layout = Layout(tmp_path / "volume", intent.name)
    return prepare(intent, layout=layout, claims=tmp_path / "claims", on_progress=lambda _: None)
