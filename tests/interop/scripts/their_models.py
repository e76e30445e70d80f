"""Our JSON lines through RM-Gallery's own model."""

import json
import sys
from pathlib import Path

from rm_gallery.core.data.schema import DataSample

asked = json.loads(Path(sys.argv[1]).read_text())
lines = Path(asked["file"]).read_text(encoding="utf-8").splitlines()
samples = [DataSample.model_validate(json.loads(line)) for line in lines]
Path(sys.argv[2]).write_text(json.dumps([sample.model_dump(mode="json") for sample in samples]))
