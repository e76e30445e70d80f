"""`rrm status`: how far trainings of a cluster are, what to do about them, and what they cost."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rrm.plan.columns import columns
from rrm.trainings.api_server import ApiServer, connect
from rrm.trainings.document import document_of, list_document
from rrm.trainings.errors import WrongQuestion
from rrm.trainings.reading import read_training
from rrm.trainings.words import Section, notes_of, sections_of, table_of
from rrm_api.run import ExitCode

_UNFOLDED: Final = 1000
"""Width that no table reaches: in a narrow one rich drops columns, and a terminal folds lines by itself."""


class Output(StrEnum):
    """Form of what is printed."""

    TABLE = "table"
    JSON = "json"


def status(
    name: Annotated[str | None, typer.Argument(help="A training; default: all of the namespace")] = None,
    *,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Where it is; default: the context's")
    ] = None,
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="Of all namespaces")] = False,
    context: Annotated[
        str | None, typer.Option(help="Context of the kubeconfig; default: the current one")
    ] = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="Form of the answer")] = Output.TABLE,
) -> int:
    """Tell how far trainings of a cluster are, what to do about them, and what they cost in GPU-hours."""
    if all_namespaces and (name or namespace):
        raise WrongQuestion("--all-namespaces goes with neither a name nor --namespace")
    server = connect(context)
    if name is not None:
        return _one(server, namespace or server.namespace, name, output)
    return _all(server, None if all_namespaces else namespace or server.namespace, output)


def _one(server: ApiServer, namespace: str, name: str, output: Output) -> int:
    training, now = read_training(server.get(namespace, name)), datetime.now(UTC)
    if output is Output.JSON:
        _print_json(document_of(training, now))
    else:
        _print_sections(sections_of(training, now))
    return int(ExitCode.DONE)


def _all(server: ApiServer, namespace: str | None, output: Output) -> int:
    found, now = [read_training(it) for it in server.find(namespace)], datetime.now(UTC)
    trainings = sorted(found, key=lambda it: (it.metadata.namespace, it.metadata.name))
    if output is Output.JSON:
        _print_json(list_document(trainings, now))
    elif not trainings:
        typer.echo(
            "there are no trainings in " + (f"namespace {namespace}" if namespace else "any namespace")
        )
    else:
        notes = tuple((it.metadata.name, note) for it in trainings for note in notes_of(it))
        table = table_of(trainings, now, names_namespace=namespace is None)
        _print_sections([table, *([Section("Notes", notes, is_warning=True)] if notes else [])])
    return int(ExitCode.DONE)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def _print_sections(sections: Sequence[Section]) -> None:
    console = Console()
    if not console.is_terminal:
        typer.echo("\n".join(plain_lines(sections)))
        return
    unfolded = Console(width=_UNFOLDED)
    for section in sections:
        (unfolded if section.heading else console).print(_table(section), "")


def plain_lines(sections: Sequence[Section]) -> list[str]:
    """Return sections as lines for a pipe or a log: a row a line, never folded."""
    lines: list[str] = []
    for section in sections:
        rows = [section.heading, *section.rows] if section.heading else section.rows
        titled = [section.title] if section.title else []
        lines += [*([""] if lines else []), *titled, *columns(rows, indent=2 if section.title else 0)]
    return lines


def _table(section: Section) -> Table:
    table = Table(
        title=Text(section.title, style="bold yellow" if section.is_warning else "bold"),
        title_justify="left",
        box=None,
        show_header=bool(section.heading),
        header_style="dim",
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for name in section.heading or [""] * max(len(row) for row in section.rows):
        table.add_column(name, overflow="fold")
    for row in section.rows:
        table.add_row(*[Text(cell) for cell in row])
    return table
