"""`rrm tiny-model DIR`: make the demo's model of one million parameters from a training's own rows."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from rrm.cli.heavy import needs_trainer
from rrm.cli.prepare import CLAIMS
from rrm.errors import InvalidSpec
from rrm.intent_file import read_intent
from rrm.presets import resolve
from rrm.tiny_model.recipe import Sizes, recipe_for
from rrm.trainer_env.locate import cache_root
from rrm_api.spec_pods import Accelerator

EXAMPLE = Path("crds/examples/tiny-cpu.yaml")


def tiny_model(
    folder: Annotated[Path, typer.Argument(help="Where to put the model; replaced if it is there")],
    training: Annotated[Path, typer.Option(help="The training whose rows and template shape it")] = EXAMPLE,
    claims: Annotated[Path, typer.Option(help="Folder that holds each claim under its name")] = CLAIMS,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the warm start on the format")] = None,
) -> int:
    """Make a model of one million parameters; a second time it comes from the user's cache."""
    folder = folder.resolve()
    _require_room_for_a_model(folder)
    intent = read_intent(training)
    sizes = Sizes() if steps is None else replace(Sizes(), warm_start_steps=steps)
    longest = resolve(intent).max_prompt_tokens
    recipe = recipe_for(intent, claims=claims, max_prompt_tokens=longest, sizes=sizes)
    cached = cache_root() / "tiny-model" / recipe.key()
    console = Console()
    if not cached.is_dir():
        needs_trainer(Accelerator.CPU)
        from rrm.tiny_model.make import make_tiny_model

        cached.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        with Bar(console=console) as bar:
            task = bar.add_task("warm start on the format", total=sizes.warm_start_steps)
            parameters = make_tiny_model(
                cached, recipe, on_step=lambda step, loss: bar.update(task, completed=step)
            )
        seconds = time.monotonic() - start
        console.print(f"{parameters:,} parameters, {len(recipe.prompts)} prompts, {seconds:.0f} s")
    _put(cached, folder)
    console.print(f"tiny model: {folder}")
    return 0


def _require_room_for_a_model(folder: Path) -> None:
    """Refuse to replace what is no model: people forget the last part of the path."""
    if folder.exists() and not (folder / "config.json").is_file():
        held = (
            ", ".join(sorted(entry.name for entry in folder.iterdir())[:6]) if folder.is_dir() else "a file"
        )
        if not held:
            return
        raise InvalidSpec(
            f"{folder}: expected no folder, an empty one or a model to replace, found {held}; "
            f"name a folder for the model, such as {folder / 'model'}"
        )


def _put(model: Path, folder: Path) -> None:
    made = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(model, made)
    for file in made.iterdir():
        file.chmod(0o644)  # safetensors writes for its owner alone; pods read as somebody else
    if folder.exists():
        shutil.rmtree(folder)
    made.rename(folder)
