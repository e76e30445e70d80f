import asyncio
from pathlib import Path

import pytest
from kubernetes.aio.client.configuration import Configuration

import rrm_operator.__main__ as main
from rrm_operator.key_folder import KeyFolder, KeysMissing, read_keys
from rrm_operator.keys import RayKeys
from rrm_operator.lease import Alone
from rrm_operator.logs import Masks
from rrm_operator.settings import Settings

SECRET = "0123456789abcdef"
OTHER = "fedcba9876543210"


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


def folder(path: Path, **files: str) -> Path:
    """Make a folder hold exactly these files."""
    path.mkdir(exist_ok=True)
    for file in path.iterdir():
        file.unlink()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_a_key_that_is_added_is_seen_without_a_restart_and_old_tokens_still_hold(tmp_path: Path) -> None:
    keys = KeyFolder(folder(tmp_path, k1=SECRET), namespace="rrm")
    old = keys.keys.token("uid", "k1")
    assert keys.reread() is False

    folder(tmp_path, k1=SECRET, k2=OTHER, current="k2")
    assert keys.reread() is True
    assert keys.keys.newest == "k2"
    assert keys.keys.token("uid", "k1") == old
    assert keys.reread() is False


def test_a_key_that_is_retired_has_no_token_any_more(tmp_path: Path) -> None:
    keys = KeyFolder(folder(tmp_path, k1=SECRET, k2=OTHER, current="k2"), namespace="rrm")
    folder(tmp_path, k2=OTHER)
    assert keys.reread() is True
    assert keys.keys.token("uid", "k1") is None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param({}, "found none", id="an empty folder"),
        pytest.param({"k1": SECRET, "k2": "short"}, "at least 16 bytes", id="a key that is too short"),
        pytest.param({"k1": SECRET, "current": "k9"}, "newest key 'k9'", id="a choice that is not there"),
        pytest.param({"k1": OTHER}, "changed under its name", id="a key with another content"),
    ],
)
def test_a_folder_that_became_unusable_is_told_once_and_the_keys_in_use_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, files: dict[str, str], words: str
) -> None:
    keys = KeyFolder(folder(tmp_path, k1=SECRET), namespace="rrm")
    before = keys.keys
    folder(tmp_path, **files)
    assert [keys.reread(), keys.reread()] == [False, False]
    assert keys.keys is before
    (told,) = caplog.messages
    assert words in told
    assert SECRET not in told
    assert OTHER not in told


async def test_whoever_uses_the_keys_is_told_of_new_ones(tmp_path: Path) -> None:
    keys = KeyFolder(folder(tmp_path, k1=SECRET), namespace="rrm")
    told: asyncio.Queue[RayKeys] = asyncio.Queue()
    watching = asyncio.create_task(keys.watch(0.001, told.put_nowait))
    folder(tmp_path, k1=SECRET, k2=OTHER, current="k2")
    assert (await told.get()).newest == "k2"
    watching.cancel()


async def test_who_takes_over_after_a_long_wait_begins_with_the_keys_of_now(tmp_path: Path) -> None:
    keys = KeyFolder(folder(tmp_path, k1=SECRET), namespace="rrm")
    folder(tmp_path, k2=OTHER)
    settings = Settings(default_image="i")
    async with main.connected(settings, Configuration(), keys, masks=Masks(), lease=Alone()) as parts:
        parts.prepare_to_lead()
        assert (keys.keys.newest, len(keys.keys)) == ("k2", 1)
