"""`rrm inspect NAME ROW`: one row from prompt to reward, with everything the judge said about it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from rrm.cli.prepare import CLAIMS, VOLUME
from rrm.report.find import find_training
from rrm.report.row import RowSeen, Said, find_row
from rrm.report.tokens import Tokens, count_tokens
from rrm_api.run import ExitCode


def inspect_row(
    training: Annotated[str, typer.Argument(help="Name of a training, or its folder")],
    row_id: Annotated[str, typer.Argument(help="Id of a prepared row, or its beginning")],
    step: Annotated[int | None, typer.Option(min=0, help="Only this step's answers; 0 = untrained")] = None,
    volume: Annotated[Path, typer.Option(help="Folder that stands for the training's claim")] = VOLUME,
    claims: Annotated[Path, typer.Option(help="Folder that holds each other claim under its name")] = CLAIMS,
) -> int:
    """Show a row's prompt, its tokens, and of each answer what was read and earned."""
    root = find_training(training, volume)
    row = find_row(root, row_id, step=step)
    texts = [content for _, content in row.prompt] + [said.answer for said in row.answers]
    tokens = count_tokens(root, claims, texts)
    console = Console()
    console.print(_facts(row))
    console.print(_prompt(row, tokens))
    for said, count in zip(row.answers, tokens.counts[len(row.prompt) :], strict=True):
        console.print(_answer(said, count))
    if not row.answers:
        console.print(Text(row.why_unanswered))
    if tokens.why_none:
        console.print(Text(f"tokens: {tokens.why_none}", style="dim"))
    return int(ExitCode.DONE)


def _facts(row: RowSeen) -> RenderableType:
    return Group(*[Text.assemble((f"{name:15}", "dim"), value) for name, value in row.facts.items()])


def _prompt(row: RowSeen, tokens: Tokens) -> RenderableType:
    parts: list[RenderableType] = []
    for (role, content), count in zip(row.prompt, tokens.counts[: len(row.prompt)], strict=True):
        parts += [Text(f"{role}{_counted(count)}", style="dim"), Text(content)]
    for role, content in row.swapped:
        parts += [Text(f"{role}, the pair in the other order", style="dim"), Text(content)]
    return Panel(Group(*parts), title="prompt", title_align="left")


def _counted(count: int | None) -> str:
    return "" if count is None else f", {count} tokens"


def _answer(said: Said, count: int | None) -> RenderableType:
    style = {"right": "green", "wrong": "red"}.get(said.kind, "yellow")
    parts: list[RenderableType] = [Text(said.answer)]
    if said.swapped is not None:
        parts += [Text("the pair in the other order:", style="dim"), Text(said.swapped)]
    parts.append(Text(said.read, style=style))
    where = "untrained" if said.step == 0 else f"step {said.step}"
    title = f"{where}, attempt {said.attempt}{_counted(count)}"
    return Panel(Group(*parts), title=Text(title), title_align="left", border_style=style)
