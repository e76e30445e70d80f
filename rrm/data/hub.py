"""Reading from a Hugging Face hub (`HF_ENDPOINT`, `HF_TOKEN`): which commit, which files, local copies."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rrm.data.hub_splits import README, chosen_config, config_files, configs_of, split_files
from rrm.errors import DataInvalid, HubUnreachable, ModelUnavailable

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

WEIGHTS: Final = (".safetensors", ".bin")
_INSTEAD_OF_ROWS: Final = "copy the files into a claim and name them as pvc://CLAIM/PATH"
_INSTEAD_OF_MODEL: Final = "copy the model into a claim and name it in spec.model.volume"
_DATASET: Final = re.compile(r"^hf://(?P<repo>[^/]+/[^/]+)(?:/(?P<path>.+))?$")


@dataclass(frozen=True)
class HubFiles:
    """Local copies of a data set's files, under their names in it, and the commit they are from."""

    files: dict[str, Path]
    revision: str


@dataclass(frozen=True)
class HubModel:
    """A model on the hub: its commit and the names of its files."""

    revision: str
    files: frozenset[str]


class _NotThere(Exception):
    """The hub answered, but not with what was asked for."""


def fetch_dataset(uri: str, *, revision: str | None, split: str, source: str) -> HubFiles:
    """Return local copies of the files of one published split.

    Raises:
        DataInvalid: If data set, revision, path or split is not there, or is closed to us.
        HubUnreachable: If the hub does not answer.
    """
    from huggingface_hub import HfApi

    match = _DATASET.match(uri)
    if match is None:
        raise DataInvalid(expected="hf://org/name[/path]", found=uri, where=source)
    repo = match["repo"]

    def copy(name: str) -> Path:
        return Path(HfApi().hf_hub_download(repo, name, repo_type="dataset", revision=commit))

    try:
        with _hub_answers(_INSTEAD_OF_ROWS):
            info = HfApi().dataset_info(repo, revision=revision)
            commit = info.sha or revision or "main"
            published = [sibling.rfilename for sibling in info.siblings or []]
            readme = copy(README).read_text("utf-8", "replace") if README in published else ""
            names = _names(published, readme, path=match["path"], split=split, source=source)
            return HubFiles({name: copy(name) for name in names}, commit)
    except _NotThere as error:
        raise DataInvalid(
            expected=f"data set {repo}" + (f" at revision {revision}" if revision else ""),
            found=str(error),
            where=source,
            do="check the name; a private or gated data set needs HF_TOKEN",
        ) from error


def _names(published: list[str], readme: str, *, path: str | None, split: str, source: str) -> list[str]:
    """Return the files of a split; where there are none, say which there would be."""
    configs = () if path in published else configs_of(readme)
    config = chosen_config(configs, path)
    if config is not None:
        names = config_files(config, split, published)
        found = f"the splits {', '.join(sorted(config.splits))} of the configuration {config.name}"
        do = "name one of these splits, or one of the files in the uri"
    else:
        names = split_files(published, path=path, split=split)
        found = ", ".join(sorted(published)[:12]) or "no files"
        do = "name one of the files in the uri, or another split"
        if configs:
            known = ", ".join(one.name for one in configs)
            do = f"name a configuration in the uri, hf://org/name/CONFIGURATION: {known}"
    if not names:
        expected = f"files of the split {split}" + (f" below {path}" if path else "")
        raise DataInvalid(expected=expected, found=found, where=source, do=do)
    return names


def find_model(name: str, revision: str | None) -> HubModel:
    """Return commit and files of a model.

    Raises:
        ModelUnavailable: If it is not there or closed to us.
        HubUnreachable: If the hub does not answer.
    """
    info = _model_info(name, revision)
    files = frozenset(sibling.rfilename for sibling in info.siblings or [])
    return HubModel(info.sha or revision or "main", files)


def _model_info(name: str, revision: str | None) -> "ModelInfo":
    from huggingface_hub import HfApi

    try:
        with _hub_answers(_INSTEAD_OF_MODEL):
            return HfApi().model_info(name, revision=revision)
    except _NotThere as error:
        at = f" at revision {revision}" if revision else ""
        raise ModelUnavailable(
            f"spec.model.name: expected the model {name}{at} on the hub, found {error}; check the name; "
            "a private or gated model needs model.tokenSecretRef"
        ) from error


def count_parameters(name: str, revision: str | None) -> int | None:
    """Return how many parameters the hub counts in a model's safetensors; None if it does not say.

    Raises:
        ModelUnavailable: If the model is not there or closed to us.
        HubUnreachable: If the hub does not answer.
    """
    counted = _model_info(name, revision).safetensors
    return int(counted.total) if counted is not None else None


def download_model(name: str, *, revision: str | None, folder: Path) -> None:
    """Copy what transformers and vLLM load of a model's commit into a folder; goes on where it was cut off.

    Raises:
        ModelUnavailable: If it is not there or closed to us.
        HubUnreachable: If the hub does not answer.
    """
    from huggingface_hub import HfApi

    model = find_model(name, revision)
    try:
        with _hub_answers(_INSTEAD_OF_MODEL):
            for file in model_files(model.files):
                HfApi().hf_hub_download(name, file, revision=model.revision, local_dir=folder)
    except _NotThere as error:
        raise ModelUnavailable(
            f"spec.model.name: expected all files of {name} at {model.revision}, found {error}"
        ) from error


def fetch_tokenizer(name: str, model: HubModel) -> Path:
    """Return a folder of the hub's cache with all files of a model's commit but its weights.

    Raises:
        ModelUnavailable: If one is not there or closed to us.
        HubUnreachable: If the hub does not answer.
    """
    from huggingface_hub import hf_hub_download

    names = [file for file in model_files(model.files) if not file.endswith(WEIGHTS)]
    try:
        with _hub_answers(_INSTEAD_OF_MODEL):
            copies = [Path(hf_hub_download(name, file, revision=model.revision)) for file in names]
    except _NotThere as error:
        raise ModelUnavailable(
            f"spec.model.name: expected the tokenizer of {name} at {model.revision}, found {error}"
        ) from error
    return copies[0].parent


def model_files(published: frozenset[str]) -> list[str]:
    """Return the top-level files that loading needs; `.bin` weights only if there are no safetensors.

    >>> model_files(frozenset({"config.json", "a.safetensors", "a.bin", "original/a.pth", "README.md"}))
    ['a.safetensors', 'config.json']
    """
    weights = ".safetensors" if any(name.endswith(".safetensors") for name in published) else ".bin"
    kinds = (weights, ".json", ".txt", ".jinja", ".model", ".py")
    return sorted(name for name in published if "/" not in name and name.endswith(kinds))


@contextmanager
def _hub_answers(instead: str) -> Iterator[None]:
    """Turn the hub client's errors into ours: not there (a person must act) or no answer (try again).

    Args:
        instead: What to do on a machine that never reaches a hub.
    """
    from huggingface_hub import constants, errors

    # The base class of the HTTP client that the hub's client happens to use.
    http_error = errors.HTTPError  # type: ignore[attr-defined]
    try:
        yield
    except errors.GatedRepoError as error:
        raise _NotThere("it gated") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise _NotThere("none") from error
    except errors.RevisionNotFoundError as error:
        raise _NotThere("no such revision") from error
    except errors.OfflineModeIsEnabled as error:
        raise HubUnreachable(
            f"the hub was not asked, as HF_HUB_OFFLINE is set on this machine; unset it, or {instead}"
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise HubUnreachable(_silent(constants.ENDPOINT, error, instead)) from error
    except errors.EntryNotFoundError as error:
        raise _NotThere("a file missing") from error
    except (http_error, ConnectionError, TimeoutError) as error:
        raise HubUnreachable(_silent(constants.ENDPOINT, error, instead)) from error


def _silent(endpoint: str, error: Exception, instead: str) -> str:
    return (
        f"the hub did not answer: {error}; expected {endpoint} to be reachable from here (HF_ENDPOINT names "
        f"another hub); on a machine without a network {instead}"
    )
