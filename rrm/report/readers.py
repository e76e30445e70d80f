"""Why an answer could not be read: the training's own template reads it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rrm.errors import RrmError
from rrm.reasoning import resolve_reasoning
from rrm.report.answers import UNKNOWN
from rrm.report.attempts import read_attempts
from rrm.report.reading import Gaps
from rrm.scales import Scale
from rrm.templates.choose import template_for
from rrm.templates.verdict import FailureKind, ParseFailure
from rrm_api.run import RunFile

IN_WORDS: Final = {
    FailureKind.MISSING: "no verdict in the tag that was asked for",
    FailureKind.TRUNCATED: "cut off before the verdict",
    FailureKind.OUT_OF_RANGE: "a score off the scale",
    FailureKind.NOT_INTEGER: "no whole number in the tag",
    FailureKind.AMBIGUOUS: "tags left open, closed twice or nested",
}
Reader = Callable[[str, bool], str | None]
"""(answer, was it cut off) -> why it cannot be read, in words; None if it can."""


def reader_of(run: RunFile, scale: Scale) -> Reader:
    """Return how this training's answers fail; a user's own template is not run for a report."""
    intent = run.intent
    if intent.template.entry_point is not None:
        return _unknown
    try:
        # The label shapes prompts alone, and asking a custom source for it would load the user's code.
        reasoning = resolve_reasoning(intent.model)
        template = template_for(intent, label="score", scale=scale, reasoning=reasoning)
    except RrmError:  # this version refuses the template's settings
        return _unknown

    def why(answer: str, is_cut: bool) -> str | None:
        read = template.parse(answer, is_cut=is_cut)
        return IN_WORDS[read.kind] if isinstance(read, ParseFailure) else None

    return why


def reader_in(root: Path, scale: Scale) -> Reader:
    """Return the same for a training's folder, by the newest run file that can be read."""
    for attempt in reversed(read_attempts(root, Gaps(root))):
        try:
            text = (attempt.folder / "run.json").read_text(encoding="utf-8")
            return reader_of(RunFile.model_validate_json(text), scale)
        except (OSError, ValueError):
            continue
    return _unknown


def _unknown(_: str, is_cut: bool) -> str:
    return IN_WORDS[FailureKind.TRUNCATED] if is_cut else UNKNOWN
