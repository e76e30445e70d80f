"""`hf://` against a hub-shaped server on this machine, named by HF_ENDPOINT; none reaches the real hub."""

import errno
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from rrm.data.hub import download_model, fetch_dataset, fetch_tokenizer, find_model
from rrm.data.hub_splits import split_files
from rrm.errors import DataInvalid, HubUnreachable, ModelUnavailable

SAMPLES = Path(__file__).parents[3] / "data/helpsteer2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL_COMMIT = "fedcba9876543210fedcba9876543210fedcba98"


def training(
    tmp_path: Path, *, model: str = "some/tiny", uri: str = "hf://nvidia/HelpSteer2", **source: Any
) -> Path:
    row = {"format": "helpsteer2_pointwise", "label": "verbosity"}
    document = {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": "hub-judge"},
        "spec": {
            "method": "Pointwise",
            "model": {"name": model, "reasoning": "None"},
            "data": {
                "train": [row | {"uri": uri} | source],
                "validation": {"sources": [row | {"uri": "hf://nvidia/HelpSteer2", "limit": 64}]},
                "maxPromptTokens": 448,
            },
            "template": {"task": "Rate the verbosity of the answer from 0 to 4."},
            "training": {"maxSteps": 24, "batchSize": 8},
            "workers": {"nodes": 1, "gpusPerNode": 1},
            "checkpoints": {"volume": {"size": "1Gi"}},
        },
    }
    path = tmp_path / "training.json"
    path.write_text(json.dumps(document))
    return path


def prepare(tmp_path: Path, endpoint: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run `rrm prepare` as a process of its own: the hub's client reads its environment once."""
    proxies = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    environment = (
        os.environ
        | proxies
        | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_TOKEN": "hf_of_this_test",
            "HF_HUB_DISABLE_XET": "1",
        }
    )
    command = [sys.executable, "-c", "import sys; from rrm.cli import main; sys.exit(main(sys.argv[1:]))"]
    arguments = [
        "prepare",
        str(path),
        "--volume",
        str(tmp_path / "volume"),
        "--claims",
        str(tmp_path / "claims"),
    ]
    return subprocess.run(
        command + arguments, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_rows_and_model_come_from_a_local_hub_shaped_server(hub: Any, tmp_path: Path) -> None:
    done = prepare(tmp_path, f"http://127.0.0.1:{hub.server_port}", training(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "volume/hub-judge/data/data.json").read_text())
    assert report["prepared"]["readRows"] == 503
    assert report["prepared"]["modelRevision"] == MODEL_COMMIT
    assert (report["parts"]["train"]["rows"], report["parts"]["validation"]["rows"]) == (252, 64)
    assert [part["sources"][0]["revision"] for part in report["parts"].values()] == [COMMIT, COMMIT]
    assert "Bearer hf_of_this_test" in hub.tokens
    assert "hf_of_this_test" not in done.stdout + done.stderr
    assert not (tmp_path / "volume/hub-judge/model").exists(), "nobody's laptop wants the weights"


def test_a_hub_that_moved_on_does_not_keep_a_training_with_checkpoints_from_going_on(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, path = f"http://127.0.0.1:{hub.server_port}", training(tmp_path)
    assert prepare(tmp_path, endpoint, path).returncode == 0
    root = tmp_path / "volume/hub-judge"
    first = json.loads((root / "data/data.json").read_text())
    (root / "checkpoints/global_step_12").mkdir(parents=True)
    name = "datasets/nvidia/HelpSteer2"
    rows = (SAMPLES / "train.jsonl").read_bytes().splitlines(keepends=True)
    shorter = hub.repos[name][1] | {"train.jsonl.gz": gzip.compress(b"".join(rows[:100]))}
    monkeypatch.setitem(hub.newer, name, ("1" * 40, shorter))

    again = prepare(tmp_path, endpoint, path)

    assert again.returncode == 0, again.stderr
    report = json.loads((root / "data/data.json").read_text())
    assert report["prepared"]["data"]["digest"] == first["prepared"]["data"]["digest"]
    assert report["parts"]["train"]["sources"][0]["revision"] == COMMIT
    (root / "checkpoints/global_step_12").rmdir()
    assert prepare(tmp_path, endpoint, path).returncode == 0
    report = json.loads((root / "data/data.json").read_text())
    assert report["parts"]["train"]["sources"][0]["revision"] == "1" * 40, "without checkpoints the newest"


def test_in_the_cluster_the_weights_come_before_any_gpu_is_asked_for(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RRM_PROGRESS_CONFIG_MAP", "judge-progress")
    done = prepare(tmp_path, f"http://127.0.0.1:{hub.server_port}", training(tmp_path))
    assert done.returncode == 0, done.stderr
    weights = tmp_path / "volume/hub-judge/model" / MODEL_COMMIT / "model.safetensors"
    assert weights.read_bytes() == hub.repos["models/some/tiny"][1]["model.safetensors"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"uri": "hf://nvidia/Nothing"}, "expected data set nvidia/Nothing, found none"),
        ({"revision": "v9"}, "expected data set nvidia/HelpSteer2 at revision v9, found no such revision"),
        (
            {"split": "test"},
            "expected files of the split test, found README.md, preference/preference.jsonl.gz",
        ),
        ({"uri": "hf://nvidia/HelpSteer2/nowhere"}, "files of the split train below nowhere"),
    ],
    ids=["no data set", "no revision", "no split", "no path"],
)
def test_rows_that_the_local_hub_shaped_server_does_not_have_are_named(
    local_files: None, changes: dict[str, str], words: str
) -> None:
    asked = {"uri": "hf://nvidia/HelpSteer2", "revision": None, "split": "train"} | changes
    uri = asked.pop("uri")
    with pytest.raises(DataInvalid) as refused:
        fetch_dataset(str(uri), **asked, source="spec.data.train[0]")  # type: ignore[arg-type]
    assert words in str(refused.value)
    assert str(refused.value).startswith("spec.data.train[0]: ")


def test_the_readme_of_the_local_hub_shaped_server_says_which_files_are_read(local_files: None) -> None:
    found = fetch_dataset("hf://org/configured", revision=None, split="train", source="spec.data.train[0]")
    assert list(found.files) == ["a/x.jsonl"]
    assert found.files["a/x.jsonl"].read_bytes() == b"{}\n"
    assert found.revision == COMMIT


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        ("some/nothing", None, "expected the model some/nothing on the hub, found none"),
        ("some/tiny", "v9", "expected the model some/tiny at revision v9 on the hub, found no such revision"),
        ("not a name", None, "found none"),
    ],
)
def test_a_model_that_the_local_hub_shaped_server_does_not_have_is_named(
    local_hub: None, name: str, revision: str | None, words: str
) -> None:
    with pytest.raises(ModelUnavailable, match=words):
        find_model(name, revision)


def test_a_commit_is_pinned_by_its_tag(local_hub: None) -> None:
    assert find_model("some/tiny", "v1").revision == MODEL_COMMIT


def test_weights_are_copied_at_the_pinned_commit_and_a_second_time_cost_nothing(
    hub: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    code = (
        "import sys, pathlib; from rrm.data.hub import download_model\n"
        "download_model('some/tiny', revision='v1', folder=pathlib.Path(sys.argv[1]))"
    )
    endpoint = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HUB_CACHE": str(tmp_path / "cache")}
    written = set()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env={**os.environ, **endpoint})
        written.add((folder / "model.safetensors").stat().st_mtime_ns)
    _, published = hub.repos["models/some/tiny"]
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (folder / name).read_bytes() == published[name]
    assert len(written) == 1


def test_weights_of_a_model_that_is_not_there_are_named(local_hub: None, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="some/other"):
        download_model("some/other", revision=None, folder=tmp_path / "model")


def test_a_full_disk_is_not_taken_for_a_silent_hub(
    local_hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(HfApi, "hf_hub_download", full)
    with pytest.raises(OSError, match="No space left"):
        download_model("some/tiny", revision=None, folder=tmp_path / "model")


def test_a_hub_that_falls_silent_before_the_tokenizer_is_no_fault_of_the_model(
    local_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_model("some/tiny", None)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable):
        fetch_tokenizer("some/tiny", found)


def test_a_hub_that_does_not_answer_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable, match="the hub did not answer") as unreachable:
        find_model("some/tiny", None)
    assert (unreachable.value.reason, unreachable.value.exit_code) == ("PrepareFailed", 20)


@pytest.mark.parametrize(
    ("published", "path", "split", "expected"),
    [
        (["train.jsonl.gz", "train/x.jsonl"], None, "train", ["train.jsonl.gz"]),
        (["data/train-00001-of-2.parquet", "data/train-00000-of-2.parquet"], None, "train", 2),
        (["training.jsonl", "pretrain.jsonl"], None, "train", []),
        (["preference/preference.jsonl.gz"], "preference/preference.jsonl.gz", "train", 1),
        (["validation.jsonl.gz", "train.jsonl.gz"], None, "validation", ["validation.jsonl.gz"]),
        (["train.csv"], None, "train", []),
    ],
)
def test_a_split_is_the_files_named_after_it(
    published: list[str], path: str | None, split: str, expected: list[str] | int
) -> None:
    found = split_files(published, path=path, split=split)
    assert found == expected if isinstance(expected, list) else len(found) == expected
