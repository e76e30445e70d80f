"""Which cluster is meant: the files, the context and the namespace that `kubectl` would use."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError

from rrm.trainings.errors import ClusterUnavailable, WrongQuestion

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Chosen:
    """A context of kubeconfig files."""

    files: tuple[Path, ...]
    context: str
    namespace: str


class _Details(BaseModel):
    namespace: str | None = None


class _Context(BaseModel):
    name: str
    context: _Details | None = None


class _File(BaseModel):
    """What is read here of a kubeconfig; the client reads servers and credentials itself."""

    contexts: list[_Context] | None = None
    current: str | None = Field(None, alias="current-context")


def choose(environ: Mapping[str, str], home: Path, context: str | None) -> Chosen | None:
    """Return the context that is meant: the named one, else the current one; None where no file says any.

    Of several files in `KUBECONFIG` the first that has a name, or a current context, wins, as with `kubectl`.

    Raises:
        WrongQuestion: There is no such context; names those that exist.
        ClusterUnavailable: A file cannot be read.
    """
    named = [Path(it) for it in environ.get("KUBECONFIG", "").split(os.pathsep) if it]
    found = {it: _read(it) for it in named or [home / ".kube" / "config"] if it.is_file()}
    files = {path: file for path, file in found.items() if file is not None}
    wanted = context or next((it.current for it in files.values() if it.current), None)
    if wanted is None:
        return None
    contexts: dict[str, _Context] = {}
    for it in (one for file in files.values() for one in file.contexts or []):
        contexts.setdefault(it.name, it)
    if wanted not in contexts:
        known = ", ".join(sorted(contexts)) or "none"
        raise WrongQuestion(f"there is no context {wanted} in {_names(named, home)}; known contexts: {known}")
    details = contexts[wanted].context
    namespace = (details.namespace if details is not None else None) or DEFAULT_NAMESPACE
    return Chosen(tuple(files), wanted, namespace)


def _read(path: Path) -> _File | None:
    """Return a file's contexts; None if it is empty."""
    # Nothing of what is found is said: a kubeconfig is full of secrets.
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return None if document is None else _File.model_validate(document)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ClusterUnavailable(
            f"{path}: expected a kubeconfig that can be read, found otherwise ({type(error).__name__}); "
            "`kubectl config view` says more"
        ) from None


def _names(named: list[Path], home: Path) -> str:
    return os.pathsep.join(str(it) for it in named) or str(home / ".kube" / "config")
