"""Environment of a script and of its runtime_env.yaml: plain values are copied, secrets never."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rrm.errors import InvalidSpec
from rrm.seed_import.secrets import is_secret
from rrm.seed_import.shell import Script, Word

CLUSTER_SETS: Final = frozenset(
    {
        "PATH", "PYTHONPATH", "HOME", "PWD", "LD_LIBRARY_PATH", "MASTER_ADDR", "MASTER_PORT", "RAY_ADDRESS",
        "WORLD_SIZE", "RANK", "LOCAL_RANK", "NODE_RANK", "CUDA_VISIBLE_DEVICES", "MODEL_NAME",
    }
)  # fmt: skip
"""Variables that image, operator or spec set."""
LEAST_SECRET: Final = 4
"""Shorter secret values are too common to look for elsewhere."""


@dataclass
class Environment:
    """What pods shall see, and what became of the rest.

    Attributes:
        entries: For `spec.env`.
        secrets: Values that may appear nowhere.
        missing: Names whose value a Secret must hold.
        todo, notes: In words, without any secret value.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def is_secret(self, name: str, word: Word) -> bool:
        """Return whether a key or variable holds a secret, its own or one that it was made of."""
        uses_secret = any(is_secret(variable, "") for variable in word.variables)
        holds_secret = any(secret in word.text for secret in self.secrets)
        return uses_secret or holds_secret or is_secret(name, word.text)


def read_runtime_env(path: Path) -> dict[str, Any]:
    """Return the mapping of a runtime_env.yaml.

    Raises:
        InvalidSpec: If it is not there or no mapping; its text is not repeated, as it may hold keys.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidSpec(f"{path}: expected YAML, found {type(error).__name__}; correct the file") from None
    if document is None:
        return {}
    if not isinstance(document, dict) or not isinstance(document.get("env_vars") or {}, dict):
        raise InvalidSpec(f"{path}: expected a mapping with env_vars as a mapping, found another shape")
    return document


def environment_of(script: Script, runtime_env: dict[str, Any], *, secret_name: str) -> Environment:
    """Return the environment; the runtime environment wins over exported variables, as it does in Ray."""
    wanted = {name: script.variables[name] for name in sorted(script.exported) if name in script.variables}
    wanted |= {str(k): Word(str(v)) for k, v in (runtime_env.get("env_vars") or {}).items()}
    found = Environment()
    for name, word in (script.variables | wanted).items():
        if is_secret(name, word.text) and len(word.text) >= LEAST_SECRET:
            found.secrets.add(word.text)
    for name, word in wanted.items():
        _add(found, name, word, secret_name)
    if packages := runtime_env.get("pip"):
        found.todo.append(f"runtime_env pip: build {_packages(packages)} into the trainer image if needed")
    for key in sorted(set(runtime_env) - {"env_vars", "pip", "excludes", "working_dir"}):
        found.todo.append(f"runtime_env {key}: has no counterpart; look whether the training needs it")
    return found


def _add(found: Environment, name: str, word: Word, secret_name: str) -> None:
    if name in CLUSTER_SETS:
        found.notes.append(f"{name}: left out; image, operator or spec set it")
    elif found.is_secret(name, word):
        reference = {"secretKeyRef": {"name": secret_name, "key": name}}
        found.entries.append({"name": name, "valueFrom": reference})
        found.missing.append(name)
    elif word.unresolved:
        found.todo.append(
            f"{name}: set it in spec.env; the script takes it from {', '.join(word.unresolved)}"
        )
    else:
        found.entries.append({"name": name, "value": word.text})


def _packages(packages: object) -> str:
    """Return the packages in words; one that is fetched with a password is not repeated."""
    if not isinstance(packages, list):
        return "its packages"
    return ", ".join("*** (holds a secret)" if is_secret("", str(each)) else str(each) for each in packages)
