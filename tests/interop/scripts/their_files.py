"""Rows through RM-Gallery's converters and its exporter: the files that its users have."""

import importlib
import json
import sys
from pathlib import Path

from rm_gallery.core.data.export import create_exporter
from rm_gallery.core.data.load.base import DataConverterRegistry
from rm_gallery.core.data.schema import BaseDataSet

asked = json.loads(Path(sys.argv[1]).read_text())
answered = {}
for name, rows in asked["formats"].items():
    importlib.import_module(f"rm_gallery.gallery.data.load.{name}")
    converter = DataConverterRegistry.get_converter(name)
    source = {"load_type": "local", "source_file_path": "rows.jsonl"}
    made = [converter.convert_to_data_sample(row, source) for row in rows]
    samples = [each for group in made for each in (group if isinstance(group, list) else [group])]
    exporter = create_exporter(
        name, config={"output_dir": asked["folder"], "formats": ["parquet", "jsonl", "json"]}
    )
    exporter.run(BaseDataSet(name=name, datasamples=samples))
    answered[name] = [sample.model_dump(mode="json") for sample in samples]
Path(sys.argv[2]).write_text(json.dumps(answered))
