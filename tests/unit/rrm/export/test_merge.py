"""What is told of a merge that failed; the merger is played by a process that says a secret and fails."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rrm.export.errors import MergeFailed
from rrm.export.merge import merge
from rrm_api.run import Intent


def test_the_last_lines_of_a_failed_merge_hold_no_secret(
    make_intent: Callable[..., Intent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "0123456789abcdef")
    code = "import os, sys; print('token', os.environ['HF_TOKEN']); sys.exit(3)"
    run = subprocess.run

    def play(_: list[str], **keywords: Any) -> Any:
        return run([sys.executable, "-c", code], **keywords)

    monkeypatch.setattr("rrm.export.merge.subprocess.run", play)
    with pytest.raises(MergeFailed, match=r"exit code 3.*\ntoken \*\*\*"):
        merge(tmp_path, tmp_path, make_intent())
