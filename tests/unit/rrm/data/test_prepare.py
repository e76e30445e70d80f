"""Preparing the demo's rows: counts, bytes, the contract with the trainer, prompts that never leak."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrm.data.prepare import prepare
from rrm.errors import CheckpointMismatch, DataInvalid, InvalidSpec
from rrm.row_id import prompt_group
from rrm_api.run import Intent, Layout, Prepared

MakeIntent = Callable[..., Intent]
SOURCE = {"format": "helpsteer2_pointwise", "label": "verbosity"}


def run(intent: Intent, claims: Path, volume: Path) -> Prepared:
    return prepare(intent, layout=Layout(volume, intent.name), claims=claims, on_progress=lambda _: None)


def rows_of(volume: Path, part: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(volume / f"tiny-judge/data/{part}.parquet").to_pylist()
    return rows


def bytes_of(volume: Path) -> dict[str, bytes]:
    files = sorted(file for file in volume.rglob("*") if file.is_file())
    return {str(file.relative_to(volume)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, demo_claims: Path, make_intent: MakeIntent
) -> tuple[Path, Prepared]:
    volume = tmp_path_factory.mktemp("volume")
    return volume, run(make_intent(), demo_claims, volume)


def test_every_sample_row_is_read_and_accounted_for(demo: tuple[Path, Prepared]) -> None:
    _, prepared = demo
    dropped = {drop.reason: drop.rows for drop in prepared.data.dropped}
    assert prepared.read_rows == 503
    assert dropped == {"prompt too long": 21, "over the limit": 164, "prompt also in validation": 2}
    assert (prepared.data.train, prepared.data.validation) == (252, 64)
    assert prepared.data.train + prepared.data.validation + sum(dropped.values()) == 503


def test_254_and_228_rows_fit_into_448_tokens(demo: tuple[Path, Prepared]) -> None:
    parts = json.loads((demo[0] / "tiny-judge/data/data.json").read_text())["parts"]
    too_long = {part: parts[part]["dropped"]["prompt too long"]["rows"] for part in parts}
    read = {part: parts[part]["sources"][0]["read"] for part in parts}
    assert {part: read[part] - too_long[part] for part in parts} == {"train": 254, "validation": 228}


def test_numbers_of_the_run_are_resolved(demo: tuple[Path, Prepared]) -> None:
    _, prepared = demo
    assert (prepared.total_steps, prepared.evaluate_every_steps, prepared.save_every_steps) == (24, 6, 12)
    assert (prepared.preset, prepared.model_revision) == ("pointwise-v1", None)
    floors = {floor.name: float(floor.value) for floor in prepared.floors}
    assert list(floors) == ["constant-2", "label-shares", "uniform", "length-rule", "surface-ridge"]
    assert floors["uniform"] < floors["label-shares"] < floors["constant-2"] < 0.85


def test_columns_are_the_contract_with_the_trainer(demo: tuple[Path, Prepared]) -> None:
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    assert {
        field.name: field.type for field in pq.read_schema(demo[0] / "tiny-judge/data/train.parquet")
    } == {
        "row_id": pa.string(),
        "prompt_group": pa.string(),
        "pair_id": pa.string(),
        "data_source": pa.string(),
        "messages": pa.list_(message),
        "messages_swapped": pa.list_(message),
        "label": pa.float64(),
        "strength": pa.float64(),
        "scale_low": pa.float64(),
        "scale_high": pa.float64(),
        "prompt_tokens": pa.int32(),
        "sample": pa.string(),
    }


def test_rows_say_what_the_trainer_needs(demo: tuple[Path, Prepared]) -> None:
    rows = rows_of(demo[0], "train") + rows_of(demo[0], "validation")
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert {(row["scale_low"], row["scale_high"], row["data_source"]) for row in rows} == {
        (0.0, 4.0, "helpsteer2")
    }
    assert max(row["prompt_tokens"] for row in rows) <= 448
    assert rows[0]["messages"][0]["role"] == "user"
    assert {row["strength"] for row in rows} == {1.0}
    assert {(row["pair_id"], row["messages_swapped"], row["sample"]) for row in rows} == {(None, None, None)}


def test_prompt_tokens_are_what_the_chat_template_gives(
    demo: tuple[Path, Prepared], demo_claims: Path
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(demo_claims / "demo/model")
    for row in rows_of(demo[0], "validation"):
        ids = tokenizer.apply_chat_template(row["messages"], add_generation_prompt=True, tokenize=True)
        assert len(ids["input_ids"] if hasattr(ids, "keys") else ids) == row["prompt_tokens"]


def test_a_second_run_writes_the_same_bytes(
    demo: tuple[Path, Prepared], demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    prepared = run(make_intent(), demo_claims, tmp_path)
    assert prepared == demo[1]
    assert bytes_of(tmp_path) == bytes_of(demo[0])


def test_another_seed_draws_other_validation_rows(
    demo: tuple[Path, Prepared], demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    data = make_intent().data.manifest() | {"seed": 2}
    assert run(make_intent(data=data), demo_claims, tmp_path).data.digest != demo[1].data.digest


def test_no_training_prompt_is_in_the_validation_source(
    demo: tuple[Path, Prepared], demo_claims: Path
) -> None:
    lines = (demo_claims / "demo/helpsteer2/eval.jsonl").read_text(encoding="utf-8").splitlines()
    held = {prompt_group(json.loads(line)["prompt"]) for line in lines}
    assert not held & {row["prompt_group"] for row in rows_of(demo[0], "train")}


def test_a_share_of_the_prompts_becomes_validation(
    demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    uris = ("pvc://demo/helpsteer2/train.jsonl", "pvc://demo/helpsteer2/eval.jsonl")
    data = {
        "train": [SOURCE | {"uri": uri} for uri in uris],
        "validation": {"fraction": "0.2"},
        "maxPromptTokens": 448,
    }
    prepared = run(make_intent(data=data), demo_claims, tmp_path)
    train, validation = (
        {row["prompt_group"] for row in rows_of(tmp_path, part)} for part in ("train", "validation")
    )
    assert not train & validation
    assert len(validation) == round(0.2 * (len(train) + len(validation)))
    assert prepared.data.train + prepared.data.validation == 254 + 228


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


PACK = {"": bytes, "gz": gzip.compress, "zst": zstd}


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "folder"])
@pytest.mark.parametrize("packing", PACK)
def test_every_kind_of_file_gives_the_same_rows(
    kind: str,
    packing: str,
    demo: tuple[Path, Prepared],
    demo_claims: Path,
    make_intent: MakeIntent,
    tmp_path: Path,
) -> None:
    claims, volume = tmp_path / "claims", tmp_path / "volume"
    shutil.copytree(demo_claims, claims)
    folder = claims / "demo/helpsteer2"
    text = (folder / "train.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    ending = f".{packing}" if packing else ""
    name = "train" if kind == "folder" else f"rows.{kind}{ending}"
    contents = {"json": json.dumps(rows).encode(), "jsonl": text.encode(), "parquet": parquet(rows)}
    if kind != "folder":
        (folder / name).write_bytes(PACK[packing](contents[kind]))
    else:
        lines = text.splitlines(keepends=True)
        (folder / "train/.cache").mkdir(parents=True)
        (folder / "train/.cache/old.jsonl").write_text("broken")
        (folder / "train/README.md").write_text("not rows")
        # The later part first: which file is older or comes first in the folder makes no difference.
        for number, piece in ((2, lines[100:]), (1, lines[:100])):
            packed = PACK[packing]("".join(piece).encode())
            (folder / f"train/{number}.jsonl{ending}").write_bytes(packed)
    data = make_intent().data.manifest()
    data["train"][0]["uri"] = f"pvc://demo/helpsteer2/{name}"
    assert run(make_intent(data=data), claims, volume).data.digest == demo[1].data.digest


def test_rows_that_occur_twice_are_used_once(
    demo: tuple[Path, Prepared], demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    data = make_intent().data.manifest()
    data["train"] *= 2
    prepared = run(make_intent(data=data), demo_claims, tmp_path)
    assert {drop.reason: drop.rows for drop in prepared.data.dropped}["duplicate"] == 260
    assert (prepared.read_rows, prepared.data.train) == (763, 252)
    assert rows_of(tmp_path, "train") == rows_of(demo[0], "train")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"maxPromptTokens": 16}, DataInvalid, "at least one train row, found none of 260 left"),
        ({"validation": {"fraction": "0"}}, InvalidSpec, "validation.fraction is 0 of"),
        ({"validation": {"fraction": "1"}}, InvalidSpec, "validation.fraction is 1 of"),
    ],
    ids=["all prompts too long", "no validation", "no training"],
)
def test_an_empty_part_is_refused(
    changes: dict[str, Any],
    error: type[Exception],
    words: str,
    demo_claims: Path,
    make_intent: MakeIntent,
    tmp_path: Path,
) -> None:
    data = make_intent().data.manifest() | changes
    with pytest.raises(error, match=words):
        run(make_intent(data=data), demo_claims, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_batch_that_the_rows_do_not_fill_is_refused(
    demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSpec, match="batchSize is 512, but only 252 training rows are left"):
        run(make_intent(training={"batchSize": 512, "miniBatchSize": 8}), demo_claims, tmp_path)


def test_checkpoints_of_another_training_are_never_continued(
    demo_claims: Path, make_intent: MakeIntent, tmp_path: Path
) -> None:
    run(make_intent(), demo_claims, tmp_path)
    changed = make_intent(reward={"linear": {}})
    run(changed, demo_claims, tmp_path)  # nothing was trained yet: the new one takes the folder over
    (tmp_path / "tiny-judge/checkpoints/global_step_12").mkdir(parents=True)
    run(changed, demo_claims, tmp_path)
    with pytest.raises(
        CheckpointMismatch, match=r"differs in spec\.reward\.exponential, spec\.reward\.linear"
    ):
        run(make_intent(), demo_claims, tmp_path)
    other_rows = tmp_path / "claims"
    shutil.copytree(demo_claims, other_rows)
    with (other_rows / "demo/helpsteer2/train.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(json.loads(first_line(demo_claims)) | {"response": "Another one."}) + "\n")
    with pytest.raises(CheckpointMismatch, match="differs in the prepared rows"):
        run(changed, other_rows, tmp_path)
    longer = changed.model_copy(update={"training": changed.training.model_copy(update={"max_steps": 48})})
    assert run(longer, demo_claims, tmp_path).total_steps == 48


def first_line(claims: Path) -> str:
    return (claims / "demo/helpsteer2/train.jsonl").read_text(encoding="utf-8").splitlines()[0]
