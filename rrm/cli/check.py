"""`rrm check plugin.py`: an own dataset, template or reward on sample rows, without the trainer."""

import importlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rrm.data.files import has_rows, read_file
from rrm.datasets import converter_of, judge, label_of, scale_of
from rrm.datasets.refusal import RowRefused
from rrm.errors import DataInvalid, InvalidSpec, PluginFailed
from rrm.plugins.example_rows import EXAMPLE_PAIRS, EXAMPLE_ROWS
from rrm.plugins.load import import_plugin
from rrm.plugins.path import require_free_name
from rrm.plugins.trials import Kind, Material, Part, Trial, parts_of
from rrm.plugins.trials.datasets import try_dataset
from rrm.plugins.trials.rewards import try_reward
from rrm.plugins.trials.templates import try_template
from rrm.sample import Judged
from rrm.scales import PREFERENCE
from rrm_api.run import ExitCode
from rrm_api.spec_data import DataFormat, LabelScale, Source
from rrm_api.spec_train import Method

MOST_ROWS: Final = 20
_MOST_SHOWN: Final = 8
_CUSTOM_SCALE: Final = LabelScale(low=0, high=4)


def check(
    plugin: Annotated[Path, typer.Argument(help="Python file with rewards, templates or converters")],
    rows: Annotated[Path | None, typer.Option(help="Rows to try it on: .json, .jsonl or .parquet")] = None,
    form: Annotated[str, typer.Option("--format", help="Format of the rows; custom = this file's own")] = "",
    label: Annotated[str | None, typer.Option(help="Attribute that is the truth")] = None,
    pairwise: Annotated[bool, typer.Option("--pairwise", help="Judge pairs, not single answers")] = False,
    reward: Annotated[str | None, typer.Option(help="Name of the reward function")] = None,
    template: Annotated[str | None, typer.Option(help="Name of the template class")] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the converter or dataset")] = None,
) -> int:
    """Run an own dataset, template or reward on sample rows; exit code 13 if it breaks its contract."""
    console = Console()
    module = _imported(plugin)
    named = {Kind.REWARD: reward, Kind.TEMPLATE: template, Kind.DATASET: dataset}
    parts = parts_of(module, named)
    method = Method.PAIRWISE if pairwise else Method.POINTWISE
    source = _source(form, method, label, entry_point=_converter_in(module.__name__, parts))
    material = _material(source, method, rows)
    with _quiet():
        trials = [_tried(part, module.__name__, material) for part in parts]
    for trial in trials:
        _show(console, trial)
    console.print(_verdict(trials, material))
    return int(ExitCode.PLUGIN if any(trial.violations for trial in trials) else ExitCode.DONE)


def _verdict(trials: list[Trial], material: Material) -> str:
    broken = sum(len(trial.violations) for trial in trials)
    noted = sum(len(trial.remarks) for trial in trials)
    found = "nothing to object to"
    if broken:
        found = f"violations of the contract: {broken}"
    elif noted:
        found = f"it would run; worth a second look: {noted}"
    return f"plug-ins: {len(trials)}, rows: {len(material.rows)}; {found}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log silent: what it would say stands in the table."""
    logger = logging.getLogger("rrm.plugins")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _imported(plugin: Path) -> Any:
    if plugin.suffix != ".py" or not plugin.is_file():
        raise PluginFailed(
            f"{plugin}: expected a Python file, found {'a folder' if plugin.is_dir() else 'none'}"
        )
    if not plugin.stem.isidentifier():
        raise PluginFailed(
            f"{plugin}: expected a name of letters, digits and _, which an entry point can say; "
            f"rename it, for example to {re.sub(r'[^A-Za-z0-9_]', '_', plugin.stem)}.py"
        )
    require_free_name(plugin)
    folder = str(plugin.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.modules.pop(plugin.stem, None)
    importlib.invalidate_caches()
    return import_plugin(plugin.stem, field=str(plugin))


def _converter_in(module: str, parts: list[Part]) -> str | None:
    """Return the entry point of the file's own converter, which `--format custom` reads rows with."""
    names = [part.name for part in parts if part.kind is Kind.DATASET]
    return f"{module}:{names[0]}" if names else None


def _source(form: str, method: Method, label: str | None, *, entry_point: str | None) -> Source:
    default = DataFormat.HELPSTEER2_PAIRWISE if method is Method.PAIRWISE else DataFormat.HELPSTEER2_POINTWISE
    if form and form not in set(DataFormat):
        raise InvalidSpec(f"--format: expected one of {', '.join(DataFormat)}, found {form}")
    kind = DataFormat(form) if form else default
    is_custom = kind is DataFormat.CUSTOM
    if is_custom and entry_point is None:
        raise InvalidSpec("--format custom: the file has no converter; name it with --dataset")
    scale = _CUSTOM_SCALE if kind in (DataFormat.CUSTOM, DataFormat.GENERIC, DataFormat.DATA_SAMPLE) else None
    entry = {"entry_point": entry_point} if is_custom else {}
    return Source(format=kind, uri="pvc://check/rows", label=label, scale=scale, **entry)


def _material(source: Source, method: Method, file: Path | None) -> Material:
    """Return what the plug-ins are tried on: the given rows, or the built-in ones."""
    scale = PREFERENCE if method is Method.PAIRWISE else scale_of(source, method)
    examples = EXAMPLE_PAIRS if method is Method.PAIRWISE else EXAMPLE_ROWS
    rows: list[Mapping[str, Any]] = list(examples) if file is None else list(_read(file))
    judged = list(_judged(rows, source, method))
    return Material(rows, judged, method, label_of(source), scale)


def _read(file: Path) -> Iterator[Mapping[str, Any]]:
    if not file.is_file() or not has_rows(file.name):
        raise DataInvalid(
            expected="a file that ends in .json, .jsonl or .parquet", found="none", where=str(file)
        )
    for row in islice(read_file(file, "--rows", file.name), MOST_ROWS):
        yield row.values


def _judged(rows: list[Mapping[str, Any]], source: Source, method: Method) -> Iterator[Judged]:
    if source.format is DataFormat.CUSTOM:
        return  # The converter itself is on trial.
    convert, scale = converter_of(source).convert, scale_of(source, method)
    for number, row in enumerate(rows, start=1):
        try:
            for sample in convert(row):
                yield from judge(sample, method=method, label=label_of(source), scale=scale)
        except RowRefused as refused:
            raise DataInvalid(
                expected=f"rows of the format {source.format.value}",
                found=str(refused),
                where=f"row {number}",
                do="name the format of the rows with --format",
            ) from refused


def _tried(part: Part, module: str, material: Material) -> Trial:
    match part.kind:
        case Kind.REWARD:
            return try_reward(part.name, part.thing, material)
        case Kind.TEMPLATE:
            return try_template(part.name, part.thing, material)
        case Kind.DATASET:
            return try_dataset(part.name, part.thing, f"{module}:{part.name}", material)


def _show(console: Console, trial: Trial) -> None:
    milliseconds = trial.median_seconds * 1000
    title = f"{trial.kind} {trial.name}: {len(trial.seconds)} calls, {milliseconds:.2g} ms each"
    console.print(escape(title))
    if trial.shown:
        console.print(_table(trial.shown))
    for words in trial.violations:
        console.print(f"[red]broken[/red] {escape(words)}")
    for words in trial.remarks:
        console.print(f"[yellow]note[/yellow] {escape(words)}")


def _table(shown: list[tuple[str, str]]) -> Table:
    table = Table(show_header=False)
    for asked, returned in shown[:_MOST_SHOWN]:
        table.add_row(escape(asked), escape(returned))
    if len(shown) > _MOST_SHOWN:
        table.add_row("...", f"{len(shown) - _MOST_SHOWN} more")
    return table
