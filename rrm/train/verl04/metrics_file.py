"""The metrics of every step in the shape of the newer engine's file logger, which verl 0.4.0 has not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class MetricsFile:
    """JSON lines of one attempt; a new one begins an empty file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("")

    def add(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append the numbers of a step."""
        numbers = {name: float(value) for name, value in metrics.items()}
        with self._path.open("a") as lines:
            lines.write(json.dumps({"step": step, "data": numbers}) + "\n")
