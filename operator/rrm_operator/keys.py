"""Keys that Ray's tokens are derived from: nothing secret has to be read back from the cluster.

`key_folder` reads them; the token of a training is the same after every restart.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FINGERPRINT: Final = re.compile(r"[a-z0-9]{1,16}")


@dataclass(frozen=True)
class RayKeys:
    """All keys by fingerprint; `newest` is used for new RayClusters, the others for those that still run."""

    by_fingerprint: Mapping[str, bytes]
    newest: str

    def __post_init__(self) -> None:
        """Refuse fingerprints that cannot be part of an object's name.

        Raises:
            ValueError: A fingerprint is malformed, or the newest one has no key.
        """
        for fingerprint in (*self.by_fingerprint, self.newest):
            if not _FINGERPRINT.fullmatch(fingerprint):
                raise ValueError(
                    f"key {fingerprint!r}: a file name of 1 to 16 lower-case letters and digits is required"
                )
        if self.newest not in self.by_fingerprint:
            raise ValueError(f"the newest key {self.newest!r} is none of {sorted(self.by_fingerprint)}")

    def token(self, training_uid: str, fingerprint: str) -> str | None:
        """Return the Ray token of a training: HMAC-SHA256 in hex; None if the key is no longer there.

        >>> keys = RayKeys({"k1": b"secret"}, newest="k1")
        >>> keys.token("uid", "k1")[:16], keys.token("uid", "gone")
        ('ac59abd85b261e34', None)
        """
        key = self.by_fingerprint.get(fingerprint)
        return None if key is None else hmac.new(key, training_uid.encode(), hashlib.sha256).hexdigest()

    def check_successor(self, other: "RayKeys") -> None:
        """Refuse keys in which one of ours has another content: its tokens are in use.

        Raises:
            ValueError: A key was changed under its name.
        """
        for fingerprint in sorted(self.by_fingerprint.keys() & other.by_fingerprint.keys()):
            if self.by_fingerprint[fingerprint] != other.by_fingerprint[fingerprint]:
                raise ValueError(
                    f"key {fingerprint!r} was changed under its name, but RayClusters run with its tokens; "
                    "add a key under a new name and let `current` name it"
                )

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self.by_fingerprint)
