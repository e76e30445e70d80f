"""Reading what is wanted: a training's YAML or the operator's `intent.json` in, an `Intent` out."""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rrm.errors import InvalidSpec
from rrm_api.run import Intent, intent_of
from rrm_api.v1alpha1 import RewardModelTraining, parse_training


def read_intent(path: Path) -> Intent:
    """Return what a training wants, from a `RewardModelTraining` manifest or an intent.

    Raises:
        InvalidSpec: With one line per fault, each naming its field.
    """
    document = _read_document(path)
    if "kind" in document:
        return intent_of(_parse(path, document))
    try:
        return Intent.model_validate(document)
    except ValidationError as error:
        raise InvalidSpec(f"{path}: {_faults(error)}") from error


def read_training(path: Path) -> RewardModelTraining:
    """Return the training of a manifest file.

    Raises:
        InvalidSpec: With one line per fault, each naming its field.
    """
    return _parse(path, _read_document(path))


def _parse(path: Path, document: dict[str, Any]) -> RewardModelTraining:
    try:
        return parse_training(document)
    except ValidationError as error:
        raise InvalidSpec(f"{path}: {_faults(error)}") from error


def _read_document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        # JSON by its own rules: YAML would read an escaped emoji as two halves of nothing.
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise InvalidSpec(f"{path}: expected a training, found none: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidSpec(f"{path}: expected one YAML or JSON document, found {error}") from error
    if not isinstance(document, dict):
        raise InvalidSpec(f"{path}: expected one mapping, found {type(document).__name__}")
    return document


def _faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        field = ".".join(str(part) for part in fault["loc"])
        lines.append(f"{field}: {fault['msg']}" if field else str(fault["msg"]))
    return "\n".join(lines)
