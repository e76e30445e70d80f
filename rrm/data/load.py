"""From a source of the spec to its raw rows: a claim's file or folder, or a hub's data set."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm.data.files import KINDS, has_rows, read_file, row_files
from rrm.data.hub import fetch_dataset
from rrm.data.packed import PACKED
from rrm.data.rows import RawRow
from rrm.errors import DataInvalid, VolumeUnavailable
from rrm_api.spec_data import Source

_CLAIM: Final = re.compile(r"^pvc://(?P<claim>[^/]+)/(?P<path>.+)$")


@dataclass(frozen=True)
class Loaded:
    """Files of a source, by their names in it; `revision` is the hub's commit, None for files of a claim."""

    place: str
    files: dict[str, Path]
    revision: str | None

    @property
    def rows(self) -> Iterator[RawRow]:
        """All raw rows, read as they are asked for: files by name, rows in their order.

        Raises:
            DataInvalid: While reading, if a file is empty or broken.
        """
        for file in sorted(self.files):
            yield from read_file(self.files[file], self.place, file)


def load(source: Source, *, name: str, claims: Path, default_split: str) -> Loaded:
    """Return where the raw rows of a source are; files of a hub are here then, no row is read yet.

    Args:
        source: Where the rows are.
        name: The source's place in the spec, such as `spec.data.train[0]`.
        claims: Folder that holds each claim under its name.
        default_split: Published split of a hub data set if the source names none.

    Raises:
        DataInvalid: If a file is missing or not one that rows are read from.
        VolumeUnavailable: If the claim is not here.
        HubUnreachable: If the hub does not answer.
    """
    place = f"{name} {source.uri}"
    claim = _CLAIM.match(source.uri)
    if claim is not None:
        files = claim_files(claims, claim["claim"], claim["path"], place=place)
        revision = None
    else:
        hub = fetch_dataset(
            source.uri, revision=source.revision, split=source.split or default_split, source=place
        )
        files, revision = hub.files, hub.revision
    return Loaded(place, files, revision)


def claim_folder(claims: Path, claim: str) -> Path:
    """Return the folder of a claim.

    Raises:
        VolumeUnavailable: If it is not here.
    """
    folder = claims / claim
    if not folder.is_dir():
        raise VolumeUnavailable(
            f"claim {claim}: expected its folder at {folder}, found none; "
            f"outside Kubernetes fill it: mkdir -p {folder} && cp -r YOUR_FILES {folder}/ "
            "(the demo's claim: make demo-data)"
        )
    return folder


def claim_files(claims: Path, claim: str, path: str, *, place: str) -> dict[str, Path]:
    """Return the row files at a path of a claim, by their names in the claim; a folder is read recursively.

    Raises:
        DataInvalid: If there is no such file or no row file in the folder.
        VolumeUnavailable: If the claim is not here.
    """
    root = claim_folder(claims, claim)
    target = root / path
    if not target.resolve().is_relative_to(root.resolve()):
        raise DataInvalid(expected="a path inside the claim", found=path, where=place)
    if target.is_file():
        if not has_rows(target.name):
            raise DataInvalid(expected=f"a file that ends in {_kinds()}", found=target.name, where=place)
        return {path: target}
    if not target.is_dir():
        raise DataInvalid(
            expected=f"a file or folder {path}",
            found="none" + _neighbours(target),
            where=place,
            do="check the path inside the claim",
        )
    files = {str(file.relative_to(root)): file for file in row_files(target)}
    if not files:
        raise DataInvalid(expected=f"files that end in {_kinds()}", found="none in the folder", where=place)
    return files


def _neighbours(target: Path) -> str:
    if not target.parent.is_dir():
        return ""
    names = sorted(entry.name for entry in target.parent.iterdir())[:8]
    return f" (beside it: {', '.join(names)})" if names else " (the folder is empty)"


def _kinds() -> str:
    return f"{', '.join(KINDS)}, each also {' and '.join(PACKED)}"
