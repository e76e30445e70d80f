"""`report.html`: one file that needs nothing else, for a phone and for a wide screen.

No script runs in it and nothing is fetched: its content policy forbids both, and every text is escaped, since
prompts and answers were written by strangers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rrm.report.answers import Kind
from rrm.report.axes import SMOOTH_FROM, smoothed, thirds, written
from rrm.report.confusion import Classes
from rrm.report.curves import HERO, VALIDATION, ChartSpec, Found, charts_of, found_in, resumed_at
from rrm.report.document import verdict_word
from rrm.report.figures import (
    CARD,
    HERO_NARROW,
    HERO_WIDE,
    Bars,
    Chart,
    Curve,
    Level,
    draw_bars,
    draw_chart,
    draw_interval,
)
from rrm.report.gather import Report
from rrm.report.prepared import benchmarks_of, example_in, more_in, parts_of
from rrm.report.result import HEADINGS, columns_of
from rrm.report.words import clock, duration, meaning, plain, state_of

REFRESH_SECONDS: Final = 5


MOST_LEVELS: Final = 4
"""Best floors drawn; all of them are in the table of numbers."""


@dataclass(frozen=True)
class Key:
    """An entry of a legend: name, colour, last value."""

    name: str
    colour: str
    value: str


@dataclass(frozen=True)
class Card:
    """A chart with its words."""

    title: str
    hint: str
    keys: tuple[Key, ...]
    pictures: tuple[Markup, ...]
    absent: str


@dataclass(frozen=True)
class Tile:
    """A number that matters, with its name and what it stands beside."""

    name: str
    value: str
    beside: str


def render(report: Report, *, is_live: bool = False) -> str:
    """Return the page; a live one asks the browser to load it again every few seconds."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"num": written, "plain": plain, "duration": duration, "clock": clock}
    environment.filters["meaning"] = meaning
    steps = [(float(step), 0.0) for step in report.steps]
    cards = [_card(report, spec) for spec in charts_of(report.run.intent.method)]
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        report=report,
        style=Markup(style),
        refresh=REFRESH_SECONDS if is_live else None,
        word=verdict_word(report.judged.lift, is_over=report.newest.is_over),
        state=state_of(report),
        interval=None if report.judged.lift is None else draw_interval(report.judged.lift),
        tiles=_tiles(report),
        hero=_hero(report),
        cards=[card for card in cards if card.pictures],
        undrawn=[card.title for card in cards if not card.pictures],
        columns=_columns(report),
        smoothing=smoothed(steps)[1] if len(steps) > SMOOTH_FROM else None,
        headings=HEADINGS,
        rows=_rows(report),
        heat=_heat(report),
        histogram=_histogram(report),
        kinds=list(Kind),
        parts=parts_of(report.data),
        benchmarks=benchmarks_of(report.data),
        example=example_in(report.data),
        more_data=more_in(report.data),
    )


def _tiles(report: Report) -> list[Tile]:
    judged, newest = report.judged, report.newest
    now = report.validations.get(judged.step or 0, {})
    base = report.validations.get(0, {}) if judged.step else {}
    tiles = [
        Tile(heading, thirds(now[name]), f"untrained {thirds(base[name])}" if name in base else "")
        for name, heading in columns_of(report.run.intent.method).items()
        if name in now
    ]
    total = report.run.prepared.total_steps
    processors = "GPU hours" if report.cost.is_gpu else "process hours, no GPU"
    return [
        *tiles,
        Tile("steps", f"{report.step}", f"of {total}, attempt {newest.number}"),
        Tile("cost", written(report.cost.processor_seconds / 3600), processors),
    ]


def _columns(report: Report) -> dict[str, str]:
    """Return the columns of the table of numbers that hold any."""
    measured = {name for numbers in report.validations.values() for name in numbers}
    columns = columns_of(report.run.intent.method)
    return {name: heading for name, heading in columns.items() if name in {"reward", *measured}}


def _rows(report: Report) -> list[tuple[str, list[str]]]:
    """Return the table of numbers: floors, untrained, trained."""
    columns = _columns(report)
    known = report.judged.floors
    rows = [
        (f"floor {name}", _cells({"reward": reward, **known.get(name, {})}, columns))
        for name, reward in report.floors.items()
    ]
    rows += [
        ("untrained" if step == 0 else f"step {step}", _cells(numbers, columns))
        for step, numbers in report.validations.items()
    ]
    return rows


def _cells(numbers: Mapping[str, float], columns: Iterable[str]) -> list[str]:
    return [thirds(numbers[name]) if name in numbers else "-" for name in columns]


def _hero(report: Report) -> Card:
    found = found_in(report, HERO)
    best = sorted(report.floors, key=lambda name: -report.floors[name])[:MOST_LEVELS]
    levels = [Level(name, report.floors[name]) for name in best]
    base = report.validations.get(0, {}).get("reward")
    if base is not None:
        levels.append(Level("untrained", base))
    return _card_of(report, found, tuple(levels), (HERO_WIDE, HERO_NARROW))


def _card(report: Report, spec: ChartSpec) -> Card:
    return _card_of(report, found_in(report, spec), (), (CARD,))


def _card_of(report: Report, found: Found, levels: tuple[Level, ...], sizes: Sequence[Any]) -> Card:
    keys = [Key(line.name, line.colour, written(points[-1][1])) for line, points in found.lines]
    pictures: tuple[Markup, ...] = ()
    hint = found.spec.hint
    if found.spec is HERO and resumed_at(report):
        hint += " Dotted: an attempt resumed there."
    if found.lines:
        chart = Chart(
            title=found.spec.title + ": " + ", ".join(f"{key.name} {key.value} at the end" for key in keys),
            curves=tuple(Curve(line.name, line.colour, points) for line, points in found.lines),
            levels=levels,
            marks=resumed_at(report),
            last_step=max([*report.steps, *report.validations], default=1),
            low=found.spec.low,
            high=found.spec.high,
        )
        pictures = tuple(draw_chart(chart, size) for size in sizes)
    return Card(found.spec.title, hint, tuple(keys), pictures, _absence(found))


def _absence(found: Found) -> str:
    if not found.absent:
        return ""
    when = "not validated yet" if found.spec is HERO else "not logged"
    if all(key.startswith(VALIDATION) for line in found.spec.lines for key in line.keys):
        when = "not measured yet"
    return f"{', '.join(found.absent)}: {when}"


def _heat(report: Report) -> list[list[float]]:
    """Return the share of each label's answers in each column of the confusion matrix."""
    if report.sheet is None:
        return []
    return [[cell / max(sum(row), 1) for cell in row] for row in report.sheet.confusion.counts]


def _histogram(report: Report) -> Card | None:
    if report.sheet is None or report.scale is None:
        return None
    matrix, classes = report.sheet.confusion, Classes(report.scale)
    series = [("training labels", "soft", _train_labels(report, classes))]
    series.append(("validation labels", "ink", _shares([*matrix.labels, 0])))
    if report.base_sheet is not None and report.judged.step:
        base = report.base_sheet.confusion
        series.append(("untrained judge", "two", _shares([*base.predictions, base.unreadable])))
    series.append(("judge", "one", _shares([*matrix.predictions, matrix.unreadable])))
    bars = Bars("Labels and scores", (*classes.names, "unread"), tuple(s for s in series if any(s[2])))
    keys = tuple(Key(name, colour, "") for name, colour, _ in bars.series)
    hint = f"Shares; the judge at step {report.sheet.step}. What it says of training rows is not recorded."
    return Card(bars.title, hint, keys, (draw_bars(bars, CARD),), "")


def _train_labels(report: Report, classes: Classes) -> tuple[float, ...]:
    labels = parts_of(report.data).get("train", {}).get("labels", {})
    counts = [0.0] * (classes.count + 1)
    for label, count in labels.items():
        try:
            counts[classes.index(float(label))] += count
        except ValueError:  # no number: data.json lists it all the same
            continue
    return _shares(counts)


def _shares(counts: Sequence[float]) -> tuple[float, ...]:
    return tuple(count / max(sum(counts), 1) for count in counts)
