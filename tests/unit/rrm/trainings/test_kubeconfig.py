"""The cluster that `kubectl` would ask is asked, and no secret of a kubeconfig is ever said."""

import os
from pathlib import Path

import pytest
import yaml

from rrm.trainings.errors import ClusterUnavailable, WrongQuestion
from rrm.trainings.kubeconfig import Chosen, choose

SECRET = "c2VjcmV0"


def write(path: Path, *contexts: tuple[str, str | None], current: str | None = None) -> Path:
    document = {
        "contexts": [
            {"name": name, "context": {"cluster": "c", **({"namespace": namespace} if namespace else {})}}
            for name, namespace in contexts
        ],
        "users": [{"name": "u", "user": {"token": SECRET}}],
        **({"current-context": current} if current is not None else {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def several(*paths: Path) -> dict[str, str]:
    return {"KUBECONFIG": os.pathsep.join(str(it) for it in paths)}


def test_without_a_word_it_is_the_current_context_of_the_home_folder(tmp_path: Path) -> None:
    path = write(tmp_path / ".kube/config", ("lab", "team-a"), ("prod", None), current="lab")
    assert choose({}, tmp_path, None) == Chosen((path,), "lab", "team-a")
    assert choose({}, tmp_path, "prod") == Chosen((path,), "prod", "default")


def test_kubeconfig_wins_over_the_home_folder(tmp_path: Path) -> None:
    write(tmp_path / ".kube/config", ("lab", None), current="lab")
    mine = write(tmp_path / "mine", ("prod", None), current="prod")
    chosen = choose(several(mine), tmp_path, None)
    assert chosen is not None
    assert chosen.context == "prod"


def test_of_several_files_the_first_that_says_something_wins(tmp_path: Path) -> None:
    """The client alone takes the last current context: a retry would reach another cluster than kubectl."""
    first = write(tmp_path / "a", ("lab", "first"))
    second = write(tmp_path / "b", ("lab", "second"), ("prod", None), current="lab")
    third = write(tmp_path / "c", ("prod", None), current="prod")
    chosen = choose(several(first, tmp_path / "nowhere", second, third), tmp_path, None)
    assert chosen == Chosen((first, second, third), "lab", "first")


def test_an_empty_current_context_says_nothing(tmp_path: Path) -> None:
    first = write(tmp_path / "a", current="")
    second = write(tmp_path / "b", ("lab", None), current="lab")
    chosen = choose(several(first, second), tmp_path, None)
    assert chosen is not None
    assert chosen.context == "lab"


def test_no_file_an_empty_one_or_one_without_a_current_context_means_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    silent = write(tmp_path / "silent", ("lab", None))
    assert choose({}, tmp_path, None) is None
    assert choose(several(tmp_path / "empty", silent), tmp_path, None) is None


def test_a_context_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ("prod", None), ("lab", None), current="lab")
    with pytest.raises(WrongQuestion, match=r"no context labb in .*/a; known contexts: lab, prod"):
        choose(several(path), tmp_path, "labb")


@pytest.mark.parametrize(
    "text",
    [f"users: [{{token: {SECRET}", f"contexts: {SECRET}", f"- {SECRET}"],
    ids=["broken", "no list", "a list"],
)
def test_a_file_that_is_none_is_refused_without_what_it_holds(text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(ClusterUnavailable, match="expected a kubeconfig") as caught:
        choose(several(tmp_path / "a"), tmp_path, None)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__
