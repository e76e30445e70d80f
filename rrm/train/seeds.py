"""Seeds of requests to the rollout engine."""

import hashlib


def request_seed(*parts: object) -> int:
    """Return a seed below 2^56, the same in every process (the hash of a str is not).

    >>> request_seed(1, "train", 3, "row-7", 0) == request_seed(1, "train", 3, "row-7", 0)
    True
    >>> request_seed(1, "train", 3, "row-7", 0) == request_seed(1, "validation", 3, "row-7", 0)
    False
    """
    text = "|".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
