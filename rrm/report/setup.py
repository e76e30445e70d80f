"""What a training was set up with: effective numbers, overrides, versions; and what it cost."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rrm.errors import InvalidSpec
from rrm.presets import resolve
from rrm.report.attempts import AttemptSeen, Steps
from rrm.report.reading import Gaps, read_json
from rrm.train.versions import installed_versions
from rrm_api.run import RunFile
from rrm_api.spec_pods import SECRET_NAME, Accelerator

_VARIABLE: Final = re.compile(
    r"""\b((?:[A-Z0-9]+_)*(?:KEY|TOKEN|SECRET|PASSWORD)['"]?[ ]?[:=][ ]?)[^\s,}&]+"""
)
_NOT_SETTINGS: Final = ("name", "namespace", "uid")


@dataclass(frozen=True)
class Setup:
    """What a training was set up with.

    Attributes:
        hyperparameters: Every effective number by name.
        spec: The intent, flattened: path -> value.
        overrides: What the newest attempt told verl, a line each.
        versions: Package -> version.
        is_versions_recorded: Whether the training itself wrote the versions; else they are those of here.
    """

    hyperparameters: dict[str, Any]
    spec: dict[str, Any]
    overrides: tuple[str, ...]
    versions: dict[str, str]
    is_versions_recorded: bool


@dataclass(frozen=True)
class Cost:
    """What a training took so far.

    Attributes:
        processes: GPUs, or on CPUs the processes that stand for them.
        is_gpu: Whether those are GPUs.
        wall_seconds: Sum over the attempts of the time from the first to the last sign of life.
        processor_seconds: Wall time times processes.
        step_seconds: Sum of the durations of the steps that count; None if none was logged.
        redone_seconds: Time of steps that were done again after a resume.
    """

    processes: int
    is_gpu: bool
    wall_seconds: float
    processor_seconds: float
    step_seconds: float | None
    redone_seconds: float


def read_setup(run: RunFile, attempts: Sequence[AttemptSeen], gaps: Gaps) -> Setup:
    """Return what the newest attempt was set up with."""
    folder = attempts[-1].folder
    overrides = folder / "overrides.txt"
    lines: list[str] = []
    try:
        lines = overrides.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        gaps.note(overrides, "not there", "what the trainer was told")
    recorded = _recorded_versions(attempts, gaps)
    return Setup(
        hyperparameters=hyperparameters_of(run, gaps),
        spec=settings_of(run),
        overrides=tuple(masked(line) for line in lines if line.strip()),
        versions=recorded or installed_versions(),
        is_versions_recorded=bool(recorded),
    )


def masked(line: str) -> str:
    """Return an override without the values of what is named like a secret: reports are passed on.

    >>> masked("+ray_kwargs.ray_init.runtime_env.env_vars.WANDB_API_KEY='k'"), masked("trainer.nnodes=2")
    ('+ray_kwargs.ray_init.runtime_env.env_vars.WANDB_API_KEY=***', 'trainer.nnodes=2')
    >>> masked("+env_vars={HF_TOKEN:t,A:1}")
    '+env_vars={HF_TOKEN:***,A:1}'
    """
    key, equals, value = line.partition("=")
    return f"{key}{equals}{masked_value(key, value)}"


def masked_value(path: str, value: Any) -> Any:
    """Return a setting, or stars if the last part of its path is named like a secret.

    In a text, so are the values of variables in capitals that are named so.
    """
    if not isinstance(value, str):
        return value
    if value and re.search(SECRET_NAME, path.rpartition(".")[2]):
        return "***"
    return _VARIABLE.sub(r"\1***", value)


def hyperparameters_of(run: RunFile, gaps: Gaps) -> dict[str, Any]:
    """Return every effective number of a run; noted and empty if this version cannot resolve it."""
    try:
        return asdict(resolve(run.intent))
    except InvalidSpec as error:
        gaps.say(f"effective hyper-parameters: this version cannot resolve them ({error})")
        return {}


def settings_of(run: RunFile) -> dict[str, Any]:
    """Return the intent by path, without the names that every training has of its own and without secrets."""
    document = {key: value for key, value in run.intent.manifest().items() if key not in _NOT_SETTINGS}
    return {path: masked_value(path, value) for path, value in flattened(document)}


def flattened(document: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a document by path; an empty list or object is a leaf.

    >>> flattened({"a": {"b": 1, "c": []}, "d": [{"e": 2}]})
    [('a.b', 1), ('a.c', []), ('d.0.e', 2)]
    """
    if not isinstance(document, dict | list) or not document:
        return [(path, document)]
    items = document.items() if isinstance(document, dict) else enumerate(document)
    return [leaf for key, value in items for leaf in flattened(value, f"{path}.{key}" if path else str(key))]


def _recorded_versions(attempts: Sequence[AttemptSeen], gaps: Gaps) -> dict[str, str]:
    for attempt in reversed(attempts):
        path = attempt.folder / "versions.json"
        if path.is_file():
            found = read_json(path, gaps, lost="the trainer's versions")
            return {str(name): str(number) for name, number in found.items()}
    gaps.say("no attempt recorded its versions: those below are of the environment that wrote this report")
    return {}


def cost_of(run: RunFile, attempts: Sequence[AttemptSeen], steps: Steps) -> Cost:
    """Return what the attempts took: processes x wall time."""
    processes = run.intent.nodes * run.intent.gpus_per_node
    wall = sum(attempt.seconds for attempt in attempts)
    kept = [metrics["timing_s/step"] for metrics in steps.values() if "timing_s/step" in metrics]
    every = [m["timing_s/step"] for a in attempts for m in a.steps.values() if "timing_s/step" in m]
    return Cost(
        processes=processes,
        is_gpu=run.intent.accelerator is not Accelerator.CPU,
        wall_seconds=wall,
        processor_seconds=wall * processes,
        step_seconds=sum(kept) if kept else None,
        redone_seconds=max(0.0, sum(every) - sum(kept)),
    )
