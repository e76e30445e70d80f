"""`rrm plan`: effective configuration, steps, memory, disk and cost of a training; starts nothing."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rrm.errors import InvalidSpec
from rrm.plan import Question
from rrm.plan import plan as plan_training
from rrm.plan.text import lines
from rrm.presets.model_size import parameters_of_name
from rrm_api.run import ExitCode

VOLUME = Path(".rrm/runs")
CLAIMS = Path(".rrm/claims")
"""The defaults of `rrm prepare`, spelled out as importing it costs what preparing needs."""


class Output(StrEnum):
    """Form of what is printed."""

    TEXT = "text"
    JSON = "json"


def plan(
    training: Annotated[Path, typer.Argument(help="training.yaml, or the operator's intent.json")],
    *,
    rows: Annotated[int | None, typer.Option(min=1, help="Training rows; default: those prepared")] = None,
    parameters: Annotated[
        str | None, typer.Option(help="Size of the model, such as 8.2B; default: from config.json or name")
    ] = None,
    gpu_memory: Annotated[int, typer.Option(min=1, help="Memory of each GPU in GB (10^9 bytes)")] = 80,
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    claims: Annotated[Path, typer.Option(help="Folder that holds each other claim under its name")] = CLAIMS,
    output: Annotated[Output, typer.Option(help="Form of the answer")] = Output.TEXT,
) -> int:
    """Say what a training will do, need and cost, without starting anything."""
    question = Question(
        training=training,
        volume=volume,
        claims=claims,
        rows=rows,
        parameters=None if parameters is None else _count(parameters),
        gpu_bytes=gpu_memory * 10**9,
    )
    planned = plan_training(question)
    if output is Output.JSON:
        typer.echo(json.dumps(planned.document(), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(planned)))
    return ExitCode.DONE


def _count(text: str) -> int:
    """Return a number of parameters, with or without a unit."""
    if (named := parameters_of_name(text)) is not None:
        return named
    try:
        count = round(float(text))
    except (ValueError, OverflowError):
        count = 0
    if count < 1:
        raise InvalidSpec(f"--parameters: expected a size such as 8.2B or 8.2e9, found {text}")
    return count
