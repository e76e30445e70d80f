from pathlib import Path

import pytest

from rrm_operator.key_folder import KeysMissing, read_keys

SECRET = "0123456789abcdef"


def test_the_only_key_is_the_current_one(tmp_path: Path) -> None:
    (tmp_path / "k1").write_text(SECRET)
    keys = read_keys(tmp_path, namespace="rrm")
    assert (keys.newest, keys.by_fingerprint) == ("k1", {"k1": SECRET.encode()})


def test_of_several_keys_the_file_current_names_the_one_to_use(tmp_path: Path) -> None:
    for name, text in {"k1": SECRET, "k2": SECRET, "current": "k2\n", "..data": "link"}.items():
        (tmp_path / name).write_text(text)
    keys = read_keys(tmp_path, namespace="rrm")
    assert keys.newest == "k2"
    assert sorted(keys.by_fingerprint) == ["k1", "k2"]


def test_an_empty_folder_prints_the_command_that_makes_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="kubectl --namespace rrm create secret generic"):
        read_keys(tmp_path, namespace="rrm")
    with pytest.raises(KeysMissing):
        read_keys(tmp_path / "absent", namespace="rrm")


@pytest.mark.parametrize(
    "key", ["", "\n" * 16, "fifteen bytes.."], ids=["empty", "only line breaks", "short"]
)
def test_a_key_that_could_be_guessed_is_refused_with_its_file_and_the_command(
    tmp_path: Path, key: str
) -> None:
    (tmp_path / "k1").write_text(key)
    with pytest.raises(KeysMissing, match=r"at least 16 bytes in .*/k1, found ") as refusal:
        read_keys(tmp_path, namespace="rrm")
    assert "kubectl --namespace rrm create secret generic" in str(refusal.value)


def test_several_keys_and_none_chosen_is_refused(tmp_path: Path) -> None:
    for name in ("k1", "k2"):
        (tmp_path / name).write_text(SECRET)
    with pytest.raises(KeysMissing, match="'current' holds the name"):
        read_keys(tmp_path, namespace="rrm")
