from pathlib import Path

import pytest

from rrm_operator.key_folder import KeysMissing, read_keys


def test_the_only_key_is_the_current_one(tmp_path: Path) -> None:
    (tmp_path / "k1").write_text("secret")
    keys = read_keys(tmp_path, namespace="rrm")
    assert (keys.newest, keys.by_fingerprint) == ("k1", {"k1": b"secret"})


def test_of_several_keys_the_file_current_names_the_one_to_use(tmp_path: Path) -> None:
    for name, text in {"k1": "old", "k2": "new", "current": "k2\n", "..data": "link"}.items():
        (tmp_path / name).write_text(text)
    keys = read_keys(tmp_path, namespace="rrm")
    assert keys.newest == "k2"
    assert sorted(keys.by_fingerprint) == ["k1", "k2"]


def test_an_empty_folder_prints_the_command_that_makes_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="kubectl --namespace rrm create secret generic"):
        read_keys(tmp_path, namespace="rrm")
    with pytest.raises(KeysMissing):
        read_keys(tmp_path / "absent", namespace="rrm")


def test_several_keys_and_none_chosen_is_refused(tmp_path: Path) -> None:
    for name in ("k1", "k2"):
        (tmp_path / name).write_text("secret")
    with pytest.raises(KeysMissing, match="'current' holds the name"):
        read_keys(tmp_path, namespace="rrm")
