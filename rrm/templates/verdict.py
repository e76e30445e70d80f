"""Reading an answer: text in, a verdict or the kind of failure out. Strict, linear time, nothing guessed."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rrm.reasoning import ReasoningRule
from rrm.scales import Scale
from rrm_api.spec_train import Reasoning

# ASCII: otherwise ignoring case lets the long s of old print pass for an s.
_TAG: Final = re.compile(r"<(/?)score>", re.IGNORECASE | re.ASCII)
_REASONING: Final = {
    tag: re.compile(rf"<(/?){tag}>", re.IGNORECASE | re.ASCII) for tag in ("think", "reason")
}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_MAX_DIGITS: Final = 9


class FailureKind(StrEnum):
    """Why an answer could not be read."""

    MISSING = "missing"
    TRUNCATED = "truncated"
    OUT_OF_RANGE = "out_of_range"
    NOT_INTEGER = "not_integer"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class Verdict:
    """A judgement that was read; `score` lies on the scale."""

    score: int


@dataclass(frozen=True)
class ParseFailure:
    """An answer that could not be read."""

    kind: FailureKind


def parse_verdict(
    text: str, scale: Scale, reasoning: ReasoningRule, *, is_cut: bool = False
) -> Verdict | ParseFailure:
    """Return the score in the last complete tag after the reasoning.

    Args:
        text: What the judge wrote, without special tokens.
        scale: Range of valid scores.
        reasoning: Which reasoning comes first; scores inside it do not count.
        is_cut: Whether the token ids show that the length limit ended the answer. Text alone cannot tell.

    >>> from rrm.reasoning import RULES
    >>> parse_verdict("<think>maybe <score>0</score></think> <score>3</score>", Scale(0, 4), RULES["Native"])
    Verdict(score=3)
    >>> parse_verdict("<score>3.5</score>", Scale(0, 4), RULES["None"]).kind.value
    'not_integer'
    """
    start = _after_reasoning(text, reasoning, is_cut=is_cut)
    if start is None:
        return ParseFailure(FailureKind.TRUNCATED)
    tags = list(_TAG.finditer(text, start))
    closing = [i for i, tag in enumerate(tags) if tag[1]]
    if not closing:
        return ParseFailure(FailureKind.TRUNCATED if tags or is_cut else FailureKind.MISSING)
    last = closing[-1]
    opens = [not tag[1] for tag in tags[max(0, last - 2) : last]]
    if last != len(tags) - 1 or opens[-1:] != [True] or opens[:-1] == [True]:
        return ParseFailure(FailureKind.AMBIGUOUS)  # a tag left open, closed twice, or nested
    return _score(text[tags[last - 1].end() : tags[last].start()], scale)


def _after_reasoning(text: str, reasoning: ReasoningRule, *, is_cut: bool) -> int | None:
    """Return where the answer proper starts, or None if the reasoning never ended."""
    if reasoning.tag is None:
        return 0
    start, is_open = 0, False
    for tag in _REASONING[reasoning.tag].finditer(text):
        is_open = not tag[1]
        start = tag.end()
    if is_open:
        return None
    # Thinking tags that are special tokens vanish in decoding: only a cut answer proves them unfinished.
    if start == 0 and reasoning.kind is Reasoning.NATIVE and is_cut:
        return None
    return start


def _score(content: str, scale: Scale) -> Verdict | ParseFailure:
    digits = content.strip()
    if not _INTEGER.fullmatch(digits):
        return ParseFailure(FailureKind.NOT_INTEGER)
    if len(digits) > _MAX_DIGITS or int(digits) not in scale:
        return ParseFailure(FailureKind.OUT_OF_RANGE)
    return Verdict(int(digits))
