"""Reading an answer: text in, a verdict or the kind of failure out. Strict, linear time, nothing guessed."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rrm.reasoning import REASONING_TAGS, ReasoningRule
from rrm.scales import PREFERENCE, Scale
from rrm_api.spec_train import Reasoning

SCORE_TAG: Final = "score"
BETTER_TAG: Final = "better"
PAIR_TAGS: Final = (BETTER_TAG, "preference", SCORE_TAG)
"""Tags a preference is read from: ours first, then RM-Gallery's; the last complete one counts."""

_INTEGER: Final = re.compile(rb"[+-]?[0-9]+")
_MAX_DIGITS: Final = 9
_PREFERENCES: Final = {
    b"a": PREFERENCE.low,
    b"answer a": PREFERENCE.low,
    b"response a": PREFERENCE.low,
    b"b": PREFERENCE.high,
    b"answer b": PREFERENCE.high,
    b"response b": PREFERENCE.high,
    b"tie": 0,
    b"equal": 0,
    b"same": 0,
}
"""The whole content of the tag, as RM-Gallery normalises it; anything else is no verdict."""


class _Tags:
    """Opening and closing forms of some tags, in the same order."""

    def __init__(self, *names: str) -> None:
        self.openings = tuple(f"<{name}>".encode() for name in names)
        self.closings = tuple(f"</{name}>".encode() for name in names)


_SCORE: Final = _Tags(SCORE_TAG)
_PAIR: Final = _Tags(*PAIR_TAGS)
_REASONING: Final = _Tags(*REASONING_TAGS)
_BY_NAME: Final = {tag: _Tags(tag) for tag in REASONING_TAGS}


class FailureKind(StrEnum):
    """Why an answer could not be read."""

    MISSING = "missing"
    TRUNCATED = "truncated"
    OUT_OF_RANGE = "out_of_range"
    NOT_INTEGER = "not_integer"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class Verdict:
    """A judgement that was read; `score` lies on the scale, for a pair on `scales.PREFERENCE`."""

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
    content = _last_tag(text, _SCORE, reasoning, is_cut=is_cut)
    return content if isinstance(content, ParseFailure) else _score(content, scale)


def parse_preference(text: str, reasoning: ReasoningRule, *, is_cut: bool = False) -> Verdict | ParseFailure:
    """Return which of two answers the last complete tag names: -1 = A, 0 = tie, +1 = B.

    Arguments as for `parse_verdict`. A tag that holds no verdict is `out_of_range`: prose is never searched
    for one, so "properties" is no tie and "Response A is much worse than Response B" is no A.

    >>> from rrm.reasoning import RULES
    >>> parse_preference("B is right. <better>B</better>", RULES["None"])
    Verdict(score=1)
    >>> parse_preference("<better>A or B</better>", RULES["None"]).kind.value
    'out_of_range'
    """
    content = _last_tag(text, _PAIR, reasoning, is_cut=is_cut)
    if isinstance(content, ParseFailure):
        return content
    named = _PREFERENCES.get(content)
    return ParseFailure(FailureKind.OUT_OF_RANGE) if named is None else Verdict(named)


def _last_tag(text: str, tags: _Tags, reasoning: ReasoningRule, *, is_cut: bool) -> bytes | ParseFailure:
    """Return what stands in the last complete tag after the reasoning: stripped, ASCII in small letters."""
    # Bytes: their `lower` touches ASCII alone, so the long s of old print is no s and nothing changes length.
    folded = text.encode(errors="surrogatepass").lower()
    start = _after_reasoning(folded, reasoning, is_cut=is_cut)
    if start is None:
        return ParseFailure(FailureKind.TRUNCATED)
    opened, opening = _last_of(tags.openings, folded, start, len(folded))
    close, closing = _last_of(tags.closings, folded, start, len(folded))
    if close < 0:
        return ParseFailure(FailureKind.TRUNCATED if opened >= 0 or is_cut else FailureKind.MISSING)
    close_before, _ = _last_of(tags.closings, folded, start, close)
    is_pair = close_before < opened < close and opening == closing
    if not is_pair or _last_of(tags.openings, folded, start, opened)[0] > close_before:
        return ParseFailure(FailureKind.AMBIGUOUS)  # a tag left open, closed twice, nested or crossed
    return folded[opened + len(tags.openings[opening]) : close].strip()


def _last_of(forms: tuple[bytes, ...], text: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the last of some forms stands, or -1, and its index; in linear time, as no regex would."""
    last, which = -1, 0
    for index, form in enumerate(forms):
        at = text.rfind(form, start, end)
        if at > last:
            last, which = at, index
    return last, which


def _after_reasoning(folded: bytes, reasoning: ReasoningRule, *, is_cut: bool) -> int | None:
    """Return where the answer proper starts, or None if the reasoning never ended.

    The tag of the rule is one source of reasoning; a model may write the other by itself, and that is skipped
    as well. The rule's own tag is ended by its own closing alone, so reasoning cannot quote the other to end.
    """
    end, ending = _last_of(_REASONING.closings, folded, 0, len(folded))
    begin, _ = _last_of(_REASONING.openings, folded, 0, len(folded))
    if begin > end or _is_open(folded, reasoning.tag):
        return None
    if end >= 0:
        return end + len(_REASONING.closings[ending])
    # Thinking tags that are special tokens vanish in decoding: only a cut answer proves them unfinished.
    return None if reasoning.kind is Reasoning.NATIVE and is_cut else 0


def _is_open(folded: bytes, tag: str | None) -> bool:
    if tag is None:
        return False
    own = _BY_NAME[tag]
    return folded.rfind(own.openings[0]) > folded.rfind(own.closings[0])


def _score(content: bytes, scale: Scale) -> Verdict | ParseFailure:
    if not _INTEGER.fullmatch(content):
        return ParseFailure(FailureKind.NOT_INTEGER)
    if len(content) > _MAX_DIGITS or int(content) not in scale:
        return ParseFailure(FailureKind.OUT_OF_RANGE)
    return Verdict(int(content))
