"""`rrm presets`: list the presets, show one with its sources, or tell how two differ."""

from enum import StrEnum
from typing import Annotated

import typer

from rrm.errors import InvalidSpec
from rrm.plan.columns import columns
from rrm.presets import PRESETS, Preset
from rrm.presets.preset import UNITS, shown
from rrm_api.run import ExitCode


class Action(StrEnum):
    """What to do with presets."""

    LIST = "list"
    SHOW = "show"
    DIFF = "diff"


NAMES = {Action.LIST: 0, Action.SHOW: 1, Action.DIFF: 2}
"""How many names each action takes."""


def presets(
    action: Annotated[Action, typer.Argument(help="list, show NAME, or diff NAME NAME")] = Action.LIST,
    names: Annotated[list[str] | None, typer.Argument(help="Names of presets")] = None,
) -> int:
    """List the presets, show one with the source of each value, or print what differs between two."""
    given = names or []
    if len(given) != NAMES[action]:
        raise InvalidSpec(
            f"rrm presets {action}: expected {NAMES[action]} names of presets, found {len(given)}; "
            "use `rrm presets`, `rrm presets show NAME` or `rrm presets diff NAME NAME`"
        )
    chosen = [_preset(name) for name in given]
    match action:
        case Action.LIST:
            lines = columns([(p.name, p.about) for p in PRESETS.values()], indent=0)
        case Action.SHOW:
            lines = show(chosen[0])
        case Action.DIFF:
            lines = differences(*chosen)
    typer.echo("\n".join(lines))
    return ExitCode.DONE


def show(preset: Preset) -> list[str]:
    """Return a preset as a table: name, value, unit, source."""
    rows = [(name, shown(value.value), UNITS[name], value.source) for name, value in preset.values()]
    heading = f"{preset.name} (method {preset.method}): {preset.about}"
    return [heading, "", *columns([("", "value", "unit", "source"), *rows], indent=0)]


def differences(one: Preset, other: Preset) -> list[str]:
    """Return the values that differ, both with their sources."""
    others = dict(other.values())
    rows = [
        (name, shown(value.value), shown(others[name].value), f"{value.source} | {others[name].source}")
        for name, value in one.values()
        if value.value != others[name].value
    ]
    if one.method is not other.method:
        rows.insert(0, ("method", one.method.value, other.method.value, ""))
    if not rows:
        return [f"{one.name} and {other.name} have the same values"]
    return columns([("", one.name, other.name, "sources"), *rows], indent=0)


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise InvalidSpec(f"preset {name}: there is none of that name; known presets: {', '.join(PRESETS)}")
    return PRESETS[name]
