"""A launch script goes in, the document of a training comes out, with what a person must still do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from rrm.errors import InvalidSpec
from rrm.plan.sums import disk_use
from rrm.presets import PRESETS, resolve
from rrm.presets.resolve import assumed_shape
from rrm.presets.tables import presets_of
from rrm.presets.verl_keys import KEY_OF
from rrm.reasoning import resolve_reasoning
from rrm.seed_import.command import trainer_arguments
from rrm.seed_import.environment import Environment, environment_of
from rrm.seed_import.keys import SPEC_FIELD
from rrm.seed_import.leftovers import leftovers
from rrm.seed_import.numbers import Keys, decimal, nearest_preset, preset_number, remarks, script_numbers
from rrm.seed_import.shell import Word, read_script
from rrm.seed_import.sources import Advice, data_of, method_of, model_of, plugins_of
from rrm_api.group import API_VERSION, KIND
from rrm_api.run import intent_of
from rrm_api.spec_train import Model
from rrm_api.v1alpha1 import RewardModelTraining, parse_training

MAX_NAME: Final = 40


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is imported, and what only the asker knows.

    Attributes:
        script: Text of the launch script.
        script_name: Its file name.
        runtime_env: Mapping of its runtime_env.yaml.
        variables: Set from outside, as the shell that starts the script would.
        name: Of the training; None = from the script.
        claim: Claim for rows.
        models: Claim for a model that is a folder.
    """

    script: str
    script_name: str
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    claim: str = "training-data"
    models: str = "models"


@dataclass(frozen=True)
class Imported:
    """A training's document, valid, and what goes with it."""

    document: dict[str, Any]
    todo: list[str]
    notes: list[str]


def import_script(request: Request) -> Imported:
    """Return the training that a launch script starts.

    Raises:
        InvalidSpec: If the script starts no GRPO training, or one that cannot be said in a spec.
    """
    script = read_script(request.script, variables=request.variables)
    given, other = trainer_arguments(script)
    runtime_env, advice = dict(request.runtime_env), Advice()
    arguments = _without_secrets(given, environment_of(script, runtime_env, secret_name=""), advice)
    name = _name(request, arguments)
    environment = environment_of(script, runtime_env, secret_name=f"{name}-secrets")
    advice.todo += environment.todo
    advice.notes += environment.notes
    _advise_other([word for word in other if not environment.is_secret("", word)], advice)
    spec = _spec(request, arguments, name, advice)
    if environment.entries:
        spec["env"] = environment.entries
    if environment.missing:
        literals = " ".join(f"--from-literal={key}=..." for key in environment.missing)
        advice.todo.append(f"secrets are not copied: kubectl create secret generic {name}-secrets {literals}")
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}
    _parsed(document)
    return Imported(document, advice.todo, advice.notes)


def _advise_other(words: list[Word], advice: Advice) -> None:
    """Say what became of words that set no key; some bring settings from elsewhere."""
    for word in words:
        key, is_pair, _ = word.text.partition("=")
        if is_pair and "." in key:
            advice.todo.append(f"{key}: a comment or an empty line ended the command before it; not copied")
        elif word.text.startswith("--config") or set(word.unresolved) - {"$@", "$*"}:
            advice.todo.append(f"{word.text}: may bring more settings, which were not read; add them by hand")
        else:
            advice.notes.append(f"{word.text}: left out; no key=value")


def _name(request: Request, arguments: Mapping[str, Word]) -> str:
    """Return a name for the training: as asked, the script's experiment or project, or its file's."""
    words = [arguments.get(f"trainer.{key}", Word("")) for key in ("experiment_name", "project_name")]
    known = [word.text for word in words if not word.unresolved]
    wanted = request.name or next((text for text in known if text), Path(request.script_name).stem)
    slug = re.sub("[^a-z0-9]+", "-", wanted.lower()).lstrip("-0123456789")
    return slug[:MAX_NAME].rstrip("-") or "imported"


def _without_secrets(
    arguments: Mapping[str, Word], environment: Environment, advice: Advice
) -> dict[str, Word]:
    """Return the arguments that hold no secret."""
    kept = {}
    for key, word in arguments.items():
        if environment.is_secret(key, word):
            advice.todo.append(f"{key}: holds a secret and is not copied; use spec.env with a Secret")
        else:
            kept[key] = word
    return kept


def _spec(request: Request, arguments: dict[str, Word], name: str, advice: Advice) -> dict[str, Any]:
    _require_grpo(arguments)
    keys, method = Keys(arguments), method_of(arguments, request.script_name)
    model = model_of(arguments, request.models, advice)
    numbers = script_numbers(keys)
    advice.notes += remarks(keys, numbers)
    kind = resolve_reasoning(Model.model_validate(model)).kind
    preset = nearest_preset([PRESETS[each] for each in presets_of(method)], numbers, kind)
    workers = {"nodes": keys.whole("trainer.nnodes"), "gpusPerNode": keys.whole("trainer.n_gpus_per_node")}
    if keys.text("trainer.device") == "cpu":
        workers["accelerator"] = "CPU"  # type: ignore[assignment]
    base: dict[str, Any] = {
        "method": method.value,
        "preset": preset.name,
        "model": model,
        "data": data_of(arguments, method, request.claim, advice),
        **plugins_of(arguments, name, advice),
        "training": {},
        "workers": workers,
        "checkpoints": {"volume": {"size": "500Gi"}, **_keep_last(keys)},
    }
    said = {each: number for each, number in numbers.items() if number is not None}
    overrides = leftovers(arguments, said.get("micro_batch_size_per_gpu"), advice)
    overrides |= {
        KEY_OF[each]: decimal(number) if isinstance(number, float) else str(number)
        for each, number in said.items()
        if each not in SPEC_FIELD and preset_number(preset, each, kind) != number
    }
    different = {
        each for each in said if each in SPEC_FIELD and preset_number(preset, each, kind) != said[each]
    }
    return _sized(_settled(base, said, different, overrides))


def _require_grpo(arguments: Mapping[str, Word]) -> None:
    estimator = arguments.get("algorithm.adv_estimator", Word("gae")).text
    if estimator != "grpo":
        raise InvalidSpec(
            f"algorithm.adv_estimator is {estimator}: only grpo can be imported; rrm trains without a critic"
        )


def _keep_last(keys: Keys) -> dict[str, int]:
    kept = keys.optional("trainer.max_actor_ckpt_to_keep")
    return {"keepLast": max(2, kept)} if kept else {}


def _settled(
    base: dict[str, Any], said: Mapping[str, Any], different: set[str], overrides: dict[str, str]
) -> dict[str, Any]:
    """Return the spec with what differs from the preset, and what the preset would fit to the cluster."""
    spec = _filled(base, said, different, overrides)
    try:
        numbers = vars(resolve(intent_of(_parsed(_document(spec)))))
    except InvalidSpec:
        numbers = {}  # a number left to the preset does not fit beside those said: say them all
    fitted = {each for each in said if each in SPEC_FIELD and numbers.get(each) != said[each]}
    spec = _filled(base, said, different | fitted, overrides)
    resolve(intent_of(_parsed(_document(spec))))
    return spec


def _filled(
    base: dict[str, Any], said: Mapping[str, Any], fields: set[str], overrides: dict[str, str]
) -> dict[str, Any]:
    spec = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    for each, (section, field_name) in SPEC_FIELD.items():
        if each in fields:
            number = said[each]
            spec[section][field_name] = decimal(number) if isinstance(number, float) else number
    if overrides:
        spec["training"]["overrides"] = overrides
    return {key: value for key, value in spec.items() if value != {}}


def _sized(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with a volume that holds its checkpoints, with a tenth to spare, in steps of 50Gi."""
    intent = intent_of(_parsed(_document(spec)))
    preset = PRESETS[spec["preset"]]
    disk = disk_use(intent, assumed_shape(intent, preset), lora_rank=preset.lora_rank.value)
    steps = -(-int(disk.total * 1.1) // (50 * 2**30))
    volume = {"size": f"{max(1, steps) * 50}Gi"}
    return {**spec, "checkpoints": {**spec["checkpoints"], "volume": volume}}


def _document(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "imported"}, "spec": spec}


def _parsed(document: dict[str, Any]) -> RewardModelTraining:
    try:
        return parse_training(document)
    except ValidationError as error:
        faults = "\n".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        raise InvalidSpec(f"the script's values make no valid training:\n{faults}") from None
