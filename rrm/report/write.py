"""Putting a report on disk: page and document beside each other, each whole or not at all."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rrm.errors import VolumeUnavailable
from rrm.report.document import document_of
from rrm.report.gather import Report, gather
from rrm.report.html import render


@dataclass(frozen=True)
class Written:
    """Where a report lies, and what it says."""

    page: Path
    document: Path
    report: Report


def write_report(root: Path, page: Path, *, now: str, is_live: bool = False) -> Written:
    """Gather a training's report and write it as `page` and, beside it, as JSON.

    Args:
        root: Folder of the training.
        page: The page's file; its folder is made.
        now: Time of writing, RFC 3339.
        is_live: Whether the page shall load itself again while the training runs.

    Raises:
        VolumeUnavailable: No attempt was ever made there, or the files cannot be written.
    """
    report = gather(root, now=now)
    document = page.with_suffix(".json")
    _replace(
        document, json.dumps(finite(document_of(report)), indent=1, ensure_ascii=False, default=str) + "\n"
    )
    _replace(page, render(report, is_live=is_live and not report.newest.is_over))
    return Written(page, document, report)


def finite(value: Any) -> Any:
    """Return a document in strict JSON's numbers: NaN and infinity, which it lacks, become null.

    >>> finite({"a": [1.5, float("nan")]})
    {'a': [1.5, None]}
    """
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Judges write anything, half a surrogate pair too: that is shown as a question mark, not refused.
        partial.write_bytes(text.encode("utf-8", errors="replace"))
        partial.replace(path)
    except OSError as error:
        raise VolumeUnavailable(
            f"{path}: expected a place to write the report, found {error.strerror or error}; "
            "say with -o where it shall go"
        ) from error
