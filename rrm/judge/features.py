"""Twelve numbers about the surface of an answer: what a judge could score by without understanding a word.

One small array per answer, so that rows can stream past and their texts be forgotten.
"""

import re
from typing import Final

import numpy as np

from rrm.judge.agreement import Floats

FEATURES: Final = (
    "log_length",
    "log_words",
    "overlap",
    "coverage",
    "refusal",
    "list_items",
    "markup",
    "code",
    "variety",
    "digits",
    "question",
    "unfinished",
)
"""Names by column. `log_length` counts characters; `overlap` is the share of the answer's words that the
question has, `coverage` the share of the question's words that the answer has, `variety` distinct words over
words, `digits` the share of characters; the rest are logarithms of counts, or 1 for true."""

_WORD: Final = re.compile(r"[^\W_]+")
_LIST_ITEM: Final = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]", re.MULTILINE)
_MARKUP: Final = re.compile(r"\*\*|__|^#{1,6} ", re.MULTILINE)
_REFUSAL: Final = re.compile(
    r"\b(?:sorry|apologi[sz]e|cannot|can't|unable|as an ai|(?:i am|i'm) not able"
    r"|don't have (?:access|enough))\b"
)
_ENDS: Final = (".", "!", "?", ")", "]", '"', "'", "`", "*", ":", "”", "}", ">")


def surface_features(question: str, answer: str) -> Floats:
    """Return the features of an answer, shape (12,), in the order of `FEATURES`; all finite, also of "".

    >>> dict(zip(FEATURES, surface_features("Name two.", "1. two").round(2).tolist()))["coverage"]
    0.5
    """
    asked, said = _words(question), _words(answer)
    distinct, wanted = set(said), set(asked)
    values = (
        np.log1p(len(answer)),
        np.log1p(len(said)),
        _share(len(distinct & wanted), len(distinct)),
        _share(len(distinct & wanted), len(wanted)),
        float(_REFUSAL.search(answer.lower().replace("\u2019", "'")) is not None),
        np.log1p(len(_LIST_ITEM.findall(answer))),
        float(_MARKUP.search(answer) is not None),
        float("```" in answer),
        _share(len(distinct), len(said)),
        _share(sum(map(str.isdigit, answer)), len(answer)),
        float("?" in answer),
        float(not answer.rstrip().endswith(_ENDS)),
    )
    return np.array(values, dtype=np.float64)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
