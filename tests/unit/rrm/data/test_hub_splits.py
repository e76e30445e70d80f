"""Which files of a hub data set are read: as the README's configurations say, else named after a split."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rrm.data.hub import _names  # the whole choice, without a network
from rrm.data.hub_splits import Config, chosen_config, config_files, configs_of
from rrm.errors import DataInvalid

FILES = [
    "README.md",
    "en/test-00000-of-00001.parquet",
    "en/train-00000-of-00002.parquet",
    "en/train-00001-of-00002.parquet",
    "de/train.jsonl.gz",
    "de/deep/er/train.jsonl",
    "notes.csv",
]
README = """---
license: odc-by
configs:
- config_name: english
  default: true
  data_files:
  - split: train
    path: en/train-*
  - split: test
    path: ["en/test-*.parquet"]
- config_name: german
  data_dir: de
  data_files: "**/*.jsonl"
---
# Title
configs: not this one
"""


def names(readme: str, *, path: str | None = None, split: str = "train") -> list[str]:
    return _names(FILES, readme, path=path, split=split, source="spec.data.train[0]")


@pytest.mark.parametrize(
    ("path", "split", "expected"),
    [
        (None, "train", FILES[2:4]),
        (None, "test", FILES[1:2]),
        ("english", "test", FILES[1:2]),
        ("german", "train", ["de/deep/er/train.jsonl"]),
        ("de/train.jsonl.gz", "train", ["de/train.jsonl.gz"]),
        ("de", "train", ["de/train.jsonl.gz"]),
    ],
    ids=[
        "default",
        "default's test",
        "by name",
        "deep files",
        "one file",
        "a folder that is no configuration",
    ],
)
def test_the_readme_says_which_files_are_a_split(path: str | None, split: str, expected: list[str]) -> None:
    assert names(README, path=path, split=split) == expected


@pytest.mark.parametrize(
    ("readme", "path", "split", "words"),
    [
        (README, None, "validation", "found the splits test, train of the configuration english; name one"),
        (
            README.replace("  default: true\n", ""),
            None,
            "train",
            "name a configuration in the uri, hf://org/name/CONFIGURATION: english, german",
        ),
        ("", None, "train", "name one of the files in the uri, or another split"),
    ],
    ids=["no such split", "no default", "no configuration"],
)
def test_a_split_that_is_not_there_is_named_with_those_that_are(
    readme: str, path: str | None, split: str, words: str
) -> None:
    with pytest.raises(DataInvalid, match="expected files of the split") as refused:
        names(readme, path=path, split=split)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "readme",
    [
        "",
        "# only text\n---\nconfigs: 1\n---\n",
        "---\nconfigs: [\n---\n",
        "---\nconfigs: a string\n---\n",
        "---\n- a list\n---\n",
        "---\nconfigs: [3, {config_name: a}, {config_name: b, data_files: 7}]\n---\n",
        "---\nconfigs: [{data_files: [{path: 3}]}]\n---\n",
    ],
)
def test_a_readme_without_usable_configurations_names_none(readme: str) -> None:
    assert configs_of(readme) == ()


@pytest.mark.parametrize(
    ("data_files", "splits"),
    [
        ("a.json", {"train": ("a.json",)}),
        ("[a.json, ./b.json]", {"train": ("a.json", "b.json")}),
        ("{train: a.json, test: [b.json, c.json]}", {"train": ("a.json",), "test": ("b.json", "c.json")}),
        (
            "[{split: test, path: a}, {split: test, path: b}, {path: c}]",
            {"test": ("a", "b"), "train": ("c",)},
        ),
    ],
)
def test_every_way_to_write_data_files_is_read(data_files: str, splits: dict[str, tuple[str, ...]]) -> None:
    readme = f"---\nconfigs:\n- config_name: a\n  data_files: {data_files}\n---\n"
    assert configs_of(readme) == (Config("a", splits),)


@pytest.mark.parametrize(
    ("glob", "hits"),
    [
        ("data/*.jsonl", ["data/1.jsonl"]),
        ("data/**/*.jsonl", ["data/1.jsonl", "data/a/b/2.jsonl"]),
        ("data/**", ["data/1.jsonl", "data/a/b/2.jsonl"]),
        ("**/?.jsonl", ["data/1.jsonl", "data/a/b/2.jsonl"]),
        ("data/{1,3}.jsonl", ["data/1.jsonl"]),
        ("data/[0-9].jsonl", ["data/1.jsonl"]),
        ("data/[!1].jsonl", []),
        ("data/1,jsonl", []),
        ("data/1.jsonl.gz", []),
    ],
)
def test_patterns_are_the_hubs(glob: str, hits: list[str]) -> None:
    published = ["data/1.jsonl", "data/a/b/2.jsonl", "data/.1.jsonl", "data/1.csv", "x.md"]
    assert config_files(Config("a", {"test": (glob,)}), "test", published) == hits


def test_the_only_configuration_needs_no_name_and_the_one_named_default_wins() -> None:
    only, default = Config("only", {}), Config("default", {})
    assert chosen_config([only], None) is only
    assert chosen_config([only, default], None) is default
    assert chosen_config([only, default], "elsewhere") is None


OFFLINE = """
import sys
from rrm.data.hub import fetch_dataset, find_model
from rrm.errors import HubUnreachable
for ask in (
    lambda: fetch_dataset("hf://org/rows", revision=None, split="train", source="spec.data.train[0]"),
    lambda: find_model("org/model", None),
):
    try:
        ask()
    except HubUnreachable as error:
        print(int(error.exit_code), error)
"""


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set on this machine; unset it"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "expected http://127.0.0.1:9 to be reachable from here"),
    ],
    ids=["switched off", "no route"],
)
def test_offline_says_why_and_what_to_do(environment: dict[str, str], cause: str, tmp_path: Path) -> None:
    quiet = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        env={**os.environ, **quiet, "HF_HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    rows, model = done.stdout.splitlines()
    for line in (rows, model):
        assert line.startswith("20 the hub ")
        assert cause in line
    assert "copy the files into a claim and name them as pvc://CLAIM/PATH" in rows
    assert "copy the model into a claim and name it in spec.model.volume" in model
