"""Reading an answer: text in, a verdict or the kind of failure out. Strict, linear time, nothing guessed."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rrm.reasoning import ReasoningRule
from rrm.scales import Scale
from rrm_api.spec_train import Reasoning

_OPEN: Final = b"<score>"
_CLOSE: Final = b"</score>"
_INTEGER: Final = re.compile(rb"[+-]?[0-9]+")
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
    # Bytes: their `lower` touches ASCII alone, so the long s of old print is no s and nothing changes length.
    folded = text.encode(errors="surrogatepass").lower()
    start = _after_reasoning(folded, reasoning, is_cut=is_cut)
    if start is None:
        return ParseFailure(FailureKind.TRUNCATED)
    close, opened = folded.rfind(_CLOSE, start), folded.rfind(_OPEN, start)
    if close < 0:
        return ParseFailure(FailureKind.TRUNCATED if opened >= 0 or is_cut else FailureKind.MISSING)
    close_before = folded.rfind(_CLOSE, start, close)
    is_pair = close_before < opened < close
    if not is_pair or folded.rfind(_OPEN, start, opened) > close_before:
        return ParseFailure(FailureKind.AMBIGUOUS)  # a tag left open, closed twice, or nested
    return _score(folded[opened + len(_OPEN) : close], scale)


def _after_reasoning(folded: bytes, reasoning: ReasoningRule, *, is_cut: bool) -> int | None:
    """Return where the answer proper starts, or None if the reasoning never ended."""
    if reasoning.tag is None:
        return 0
    ending = f"</{reasoning.tag}>".encode()
    end, begin = folded.rfind(ending), folded.rfind(f"<{reasoning.tag}>".encode())
    if begin > end:
        return None
    if end >= 0:
        return end + len(ending)
    # Thinking tags that are special tokens vanish in decoding: only a cut answer proves them unfinished.
    return None if reasoning.kind is Reasoning.NATIVE and is_cut else 0


def _score(content: bytes, scale: Scale) -> Verdict | ParseFailure:
    digits = content.strip()
    if not _INTEGER.fullmatch(digits):
        return ParseFailure(FailureKind.NOT_INTEGER)
    if len(digits) > _MAX_DIGITS or int(digits) not in scale:
        return ParseFailure(FailureKind.OUT_OF_RANGE)
    return Verdict(int(digits))
