"""Thirteen words in a row: what two texts share when one was copied from the other, as 64-bit hashes.

Thirteen as in the decontamination of GPT-3 (arXiv 2005.14165, appendix C). Words are those of the normalised
text; a Chinese or Japanese character is a word of its own. No hash crosses the border of a message.
"""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

SIZE: Final = 13
Hashes = npt.NDArray[np.uint64]
_CHARACTER: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD: Final = re.compile(rf"[{_CHARACTER}]|[^\W{_CHARACTER}]+")
_FACTOR: Final = 0x9E3779B97F4A7C15


def words_of(text: str) -> list[str]:
    """Return the normalised words of a text.

    >>> words_of("The  cat's MAT.")
    ['the', 'cat', 's', 'mat']
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def hashes_of(words: list[str]) -> Hashes:
    """Return one hash for each thirteen words in a row; shape (words - 12,), empty for shorter texts."""
    count = len(words) - SIZE + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    single = np.fromiter((_hash_of(word) for word in words), dtype=np.uint64, count=len(words))
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(SIZE):  # a polynomial in an odd factor, modulo 2^64
        hashes = hashes * np.uint64(_FACTOR) + single[place : place + count]
    return hashes


@lru_cache(maxsize=1 << 16)
def _hash_of(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
