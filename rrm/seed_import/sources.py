"""What a script names outside itself: model, rows, and Python files of its own."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from rrm.seed_import.keys import KNOWN_JUDGES
from rrm.seed_import.shell import Word
from rrm_api.spec_train import Method

NOTHING: Final = Word("")
TELLING: Final = (
    "data.custom_cls.name",
    "data.custom_cls.path",
    "custom_reward_function.path",
    "reward.custom_reward_function.path",
    "trainer.experiment_name",
    "trainer.project_name",
)
"""Keys whose values speak of the method, the surest first."""
MODEL_PATH: Final = "actor_rollout_ref.model.path"
UNSET_MODEL: Final = "set-me/model"
SEED_LABEL: Final = {"label": "helpfulness", "scale": {"low": 0, "high": 4}}
"""What RM-Gallery's pointwise dataset reads: HelpSteer2's helpfulness."""


@dataclass
class Advice:
    """What a person must do, and what was decided for them."""

    todo: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def method_of(arguments: dict[str, Word], script_name: str) -> Method:
    """Return the method that the script's names speak of; Pointwise where none does."""
    names = [*(arguments.get(key, NOTHING).text for key in TELLING), script_name]
    for name in names:
        if (found := re.search("pairwise|pointwise", name, re.IGNORECASE)) is not None:
            return Method(found.group().title())
    return Method.POINTWISE


def model_of(arguments: dict[str, Word], claim: str, advice: Advice) -> dict[str, Any]:
    """Return `spec.model`: a hub id, or a folder on a claim."""
    word = arguments.get(MODEL_PATH, NOTHING)
    if word.unresolved or not word.text:
        advice.todo.append(
            f"spec.model.name: {_unknown(word, MODEL_PATH)}; write the hub id, such as Qwen/Qwen3-8B, or "
            "give --set NAME=VALUE"
        )
        return {"name": UNSET_MODEL}
    if re.fullmatch(r"[\w.-]+/[\w.-]+", word.text) and not word.text.startswith("."):
        return {"name": word.text}
    path = _relative(word.text)
    advice.todo.append(f"spec.model.volume: put the folder {word.text} on the claim {claim} as {path}")
    return {"name": PurePosixPath(path).name, "volume": {"claimName": claim, "path": path}}


def data_of(arguments: dict[str, Word], method: Method, claim: str, advice: Advice) -> dict[str, Any]:
    """Return `spec.data`: RM-Gallery's exported files on a claim."""
    train = _files(arguments.get("data.train_files", NOTHING), "train", claim, advice)
    found: dict[str, Any] = {"train": [_source(uri, method) for uri in train]}
    if (word := arguments.get("data.val_files")) is not None:
        uris = _files(word, "validation", claim, advice)
        found["validation"] = {"sources": [_source(uri, method) for uri in uris]}
    if (seed := arguments.get("data.seed")) is not None and seed.text.isdigit():
        found["seed"] = int(seed.text)
    return found


def plugins_of(arguments: dict[str, Word], name: str, advice: Advice) -> dict[str, Any]:
    """Return `spec.reward` and `spec.plugins` where the script has a reward of its own."""
    old, new = "custom_reward_function", "reward.custom_reward_function"
    path = (arguments.get(f"{new}.path") or arguments.get(f"{old}.path") or NOTHING).text
    function = (arguments.get(f"{new}.name") or arguments.get(f"{old}.name") or Word("compute_score")).text
    _advise_dataset(arguments.get("data.custom_cls.path", NOTHING).text, advice)
    if not path or _is_known(path):
        if path:
            advice.notes.append(f"{path}: the method's own reward pays the same, without its faults")
        return {}
    module = PurePosixPath(path).stem
    if not (module.isidentifier() and function.isidentifier()):
        advice.todo.append(f"spec.reward.entryPoint: the script's reward {path}:{function} cannot be named")
        return {}
    advice.todo.append(
        f"spec.plugins: kubectl create configmap {name}-plugins --from-file {path}, with every file that it "
        "imports"
    )
    reward = {"entryPoint": f"{module}:{function}"}
    return {"reward": reward, "plugins": {"configMapName": f"{name}-plugins"}}


def _advise_dataset(path: str, advice: Advice) -> None:
    if not path:
        return
    if _is_known(path):
        advice.notes.append(f"{path}: the method's own dataset and prompt replace it")
    else:
        advice.todo.append(
            f"spec.data.train: the script reads rows with {path}; if they are no RM-Gallery samples, name "
            "their format, or a converter of your own (format custom, entryPoint), and the prompt as "
            "template.entryPoint"
        )


def _is_known(path: str) -> bool:
    return re.search(KNOWN_JUDGES, path.removeprefix("./")) is not None


def _source(uri: str, method: Method) -> dict[str, Any]:
    labelled = SEED_LABEL if method is Method.POINTWISE else {}
    return {"format": "data_sample", "uri": uri, **labelled}


def _files(word: Word, part: str, claim: str, advice: Advice) -> list[str]:
    """Return the files of a part as URIs on the claim."""
    paths = [path.strip().strip("'\"") for path in word.text.strip("[]").split(",")]
    if word.unresolved or not all(paths):
        advice.todo.append(
            f"spec.data.{part}: {_unknown(word, 'data files')}; name the file on the claim {claim}"
        )
        return [f"pvc://{claim}/{part}.parquet"]
    uris = [f"pvc://{claim}/{_relative(path)}" for path in paths]
    for path, uri in zip(paths, uris, strict=True):
        advice.todo.append(f"spec.data.{part}: put {path} where {uri} says, or name the hub's data set")
    return uris


def _unknown(word: Word, key: str) -> str:
    return (
        f"the script takes it from {', '.join(word.unresolved)}"
        if word.unresolved
        else f"the script sets no {key}"
    )


def _relative(path: str) -> str:
    """Return a path inside a claim: without root, home, scheme and `..`.

    >>> _relative("./data/train.parquet"), _relative("/nas/m/qwen"), _relative("hdfs://a/b.parquet")
    ('data/train.parquet', 'nas/m/qwen', 'a/b.parquet')
    """
    bare = re.sub(r"^[a-z0-9]+://", "", path)
    parts = [part for part in bare.split("/") if part not in {"", ".", "..", "~"}]
    return "/".join(parts) or "."
