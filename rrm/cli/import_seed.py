"""`rrm import`: a launch script of verl's GRPO trainer in, a training.yaml out; secrets are never copied."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from rrm.errors import InvalidSpec
from rrm.seed_import import Imported, Request, import_script
from rrm.seed_import.environment import read_runtime_env
from rrm_api.run import ExitCode


def import_seed(
    script: Annotated[Path, typer.Argument(help="Launch script, such as run_pointwise.sh")],
    runtime_env: Annotated[Path | None, typer.Argument(help="Its runtime_env.yaml")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write")] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the training")] = None,
    variables: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, as for the shell")] = None,
    claim: Annotated[str, typer.Option(help="Claim that holds the rows")] = "training-data",
    models: Annotated[str, typer.Option(help="Claim that holds a model which is a folder")] = "models",
) -> int:
    """Turn a launch script of RM-Gallery or OpenJudge into a training.yaml."""
    imported = import_script(
        Request(
            script=_text(script),
            script_name=script.name,
            runtime_env=read_runtime_env(runtime_env) if runtime_env else {},
            variables=dict(_pair(each) for each in variables or []),
            name=name,
            claim=claim,
            models=models,
        )
    )
    for line in imported.notes:
        typer.echo(f"note: {line}", err=True)
    for line in imported.todo:
        typer.echo(f"todo: {line}", err=True)
    _write(as_yaml(imported, script.name), output)
    return ExitCode.DONE


def as_yaml(imported: Imported, script_name: str) -> str:
    """Return the training as YAML, with what is left to do on top."""
    todo = "".join(f"# TODO {' '.join(line.split())}\n" for line in imported.todo)
    head = f"# Imported from {script_name} by `rrm import`.\n{todo}"
    return head + yaml.dump(imported.document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


class _Plain(yaml.SafeDumper):
    """YAML that every parser reads alike: no aliases, and text that looks like a number is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts out each time."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Quote `3e-6`, which is text to YAML 1.1 and a number to 1.2."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _is_number(text) else None)


_Plain.add_representer(str, _Plain.represent_text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSpec(f"{path}: expected a launch script, found none: {error}") from None


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise InvalidSpec(f"--set: expected NAME=VALUE, found {name}")
    return name, value


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InvalidSpec(f"{output}: exists already; choose another --output or move it away") from None
    except OSError as error:
        raise InvalidSpec(f"{output}: cannot be written: {error.strerror}; choose another --output") from None
