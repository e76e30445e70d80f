"""`rrm`, the command: parses arguments and prints; every decision lives elsewhere.

Each command is one function in its own module, named in the table below and imported only when it runs: then
`rrm --help` costs no pydantic and no numpy. A command returns its exit code (`rrm_api.run.ExitCode`).
"""

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import typer
import typer.core
from typer.main import get_command


class Lazy(NamedTuple):
    """A command that is imported when it runs."""

    target: str
    """`module:function`."""
    help: str
    """One line for `rrm --help`."""


COMMANDS: Final = {
    "run": Lazy("rrm.cli.run:run", "Prepare, train and export on this machine, without Kubernetes."),
    "plan": Lazy("rrm.cli.plan:plan", "Say what a training would do, need and cost; start nothing."),
    "prepare": Lazy("rrm.cli.prepare:prepare", "Read, check, split and render the rows of a training."),
    "export": Lazy("rrm.cli.export:export", "Make a Hugging Face folder of a whole checkpoint."),
    "status": Lazy("rrm.cli.status:status", "Tell how far trainings of a cluster are, and what they cost."),
    "retry": Lazy("rrm.cli.retry:retry", "Try a training of a cluster again that has failed."),
    "report": Lazy("rrm.cli.report:report", "Write report.html and report.json of a training."),
    "inspect": Lazy(
        "rrm.cli.inspect_row:inspect_row", "Show a row: its prompt, its answers, what they earned."
    ),
    "compare": Lazy(
        "rrm.cli.compare:compare_trainings", "Compare two trainings, or two steps, on the same rows."
    ),
    "check": Lazy("rrm.cli.check:check", "Run an own dataset, template or reward on sample rows."),
    "presets": Lazy("rrm.cli.presets:presets", "List presets, show one with its sources, or how two differ."),
    "import": Lazy(
        "rrm.cli.import_seed:import_seed",
        "Turn a launch script of RM-Gallery into a training.yaml.",
    ),
    "convert": Lazy("rrm.cli.convert:convert", "Convert published rows to RM-Gallery's shape."),
    "tiny-model": Lazy("rrm.cli.tiny_model:tiny_model", "Make the demo's model of one million parameters."),
}
CONFIGURATION: Final = 11
"""Exit code of a wrong argument: `ExitCode.CONFIGURATION`, spelled out as importing it costs too much."""


class LazyGroup(typer.core.TyperGroup):
    """A group that lists its commands from the table and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return all names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a stand-in that knows its help; `resolve_command` returns the real one."""
        if cmd_name not in COMMANDS:
            return None
        return typer.core.TyperCommand(name=cmd_name, help=COMMANDS[cmd_name].help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return name, imported command and remaining arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in COMMANDS else command, rest


def main(argv: list[str] | None = None) -> int:
    """Run `rrm` with the given arguments (default: the process's) and return its exit code."""
    app = typer.Typer(cls=LazyGroup, add_completion=False, rich_markup_mode=None)
    app.callback(help="Train a language model to reason about answers and score them.")(_no_options)
    args = sys.argv[1:] if argv is None else argv
    try:
        result = get_command(app).main(args=args or ["--help"], prog_name="rrm", standalone_mode=False)
    except typer.Abort:
        typer.echo("stopped", err=True)
        return 130
    except typer.TyperException as error:
        typer.echo(f"{str(error).rstrip('.')}; `rrm --help` lists the commands", err=True)
        return CONFIGURATION
    return result if isinstance(result, int) else 0


def _no_options() -> None:
    """Exist so that typer makes a group."""


def _load(name: str) -> Any:
    module, _, function = COMMANDS[name].target.partition(":")
    app = typer.Typer(add_completion=False)
    app.command(name=name, help=COMMANDS[name].help)(
        _guarded(getattr(importlib.import_module(module), function))
    )
    return get_command(app)


def _guarded(command: Callable[..., int]) -> Callable[..., int]:
    """Return the command with our own errors printed and turned into their exit code."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> int:
        from rrm.errors import RrmError
        from rrm.trainings.errors import ClusterError

        try:
            return command(*args, **kwargs)
        except RrmError as error:
            typer.echo(f"{error.reason}: {error}", err=True)
            return int(error.exit_code)
        except ClusterError as error:
            typer.echo(str(error), err=True)
            return int(error.exit_code)

    return guarded
