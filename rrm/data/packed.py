"""Opening a row file as a stream of bytes: plain, `.gz` or `.zst`, never whole in memory."""

import gzip
import io
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from rrm.data.rows import Place
from rrm.errors import DataInvalid

PACKED: Final = {".gz": "gzip", ".zst": "zstd"}
"""Endings of packed files and what packed them."""
_CHUNK: Final = 1 << 20


def unpacked_name(name: str) -> str:
    """Return a file's name without the ending of its packing.

    >>> unpacked_name("train.jsonl.zst"), unpacked_name("train.json")
    ('train.jsonl', 'train.json')
    """
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in PACKED else name


@contextmanager
def opened(path: Path, place: Place, *, seekable: bool) -> Iterator[BinaryIO]:
    """Open a file, unpacked on the fly, or into a temporary file where the reader has to seek.

    Raises:
        DataInvalid: If a packed file is cut off, damaged or not packed at all.
    """
    packing = PACKED.get(path.suffix)
    if packing is None:
        with path.open("rb") as plain:
            yield plain
        return
    with _whole(packing, place), _unpacking(path, packing) as stream:
        if not seekable:
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            while chunk := stream.read(_CHUNK):
                copy.write(chunk)
            copy.seek(0)
            yield cast(BinaryIO, copy)


@contextmanager
def _unpacking(path: Path, packing: str) -> Iterator[BinaryIO]:
    if packing == "gzip":
        with gzip.open(path) as stream:
            yield cast(BinaryIO, stream)
        return
    import pyarrow as pa

    with (
        pa.OSFile(str(path)) as packed,
        io.BufferedReader(pa.CompressedInputStream(packed, packing), _CHUNK) as stream,
    ):
        yield cast(BinaryIO, stream)


@contextmanager
def _whole(packing: str, place: Place) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataInvalid(expected=f"a whole {packing} file", found=str(error), where=str(place)) from error
    except OSError as error:
        if error.errno is not None:  # the disk's fault; pyarrow's errors about the content carry no number
            raise
        raise DataInvalid(expected=f"a whole {packing} file", found=str(error), where=str(place)) from error
