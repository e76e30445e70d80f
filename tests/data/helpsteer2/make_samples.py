"""Make the committed sample rows: `python make_samples.py ORIGINALS OUT`.

ORIGINALS holds train.json and eval.json as published by the repository that NOTICE.md names. Kept are the
answers whose prompt and response together have at most 1,200 characters, one hub-shaped line each, the
labels as whole numbers again: 260 and 243 rows.
"""

import json
import sys
from pathlib import Path

MAX_CHARS = 1200
POINTS = 4


def hub_rows(nested: list[dict]) -> list[dict]:
    """Return one row per short answer, in the published shape."""
    rows = []
    for row in nested:
        for response, labels in zip(row["responses"], row["labels"], strict=True):
            if len(row["prompt"]) + len(response) <= MAX_CHARS:
                points = {name: round(value * POINTS) for name, value in labels.items()}
                rows.append({"prompt": row["prompt"], "response": response, **points})
    return rows


def main(originals: Path, out: Path) -> None:
    """Write train.jsonl and eval.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("train", "eval"):
        rows = hub_rows(json.loads((originals / f"{name}.json").read_text(encoding="utf-8")))
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
