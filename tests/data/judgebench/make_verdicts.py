"""Make the committed verdicts: `python make_verdicts.py ORIGINALS OUT`; NOTICE.md names the originals."""

import csv
import json
import sys
from pathlib import Path
from statistics import mode

VERDICTS = {"1": -1, "2": 1, "0": 0, "Tie": 0, "garbage": ""}


def verdicts(file: Path, key: str) -> dict[int, object]:
    """Return the recorded verdicts of a judge by row number."""
    return {row["idx"]: VERDICTS[str(row[key])] for row in json.loads(file.read_text(encoding="utf-8"))}


def main(originals: Path, out: Path) -> None:
    """Write pandalm_verdicts.csv."""
    rows = json.loads((originals / "testset-v1.json").read_text(encoding="utf-8"))
    judges = originals / "judge_outputs"
    gpt = verdicts(judges / "gpt-3.5-turbo-testset-v1.json", "gpt_result")
    panda = verdicts(judges / "pandalm-7b-testset-v1.json", "pandalm_result")
    with (out / "pandalm_verdicts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["row", "label", "gpt", "pandalm", "length_1", "length_2"])
        for row in rows:
            label = VERDICTS[str(mode(row[f"annotator{i}"] for i in (1, 2, 3)))]
            lengths = [len(str(row[f"response{i}"])) for i in (1, 2)]
            writer.writerow([row["idx"], label, gpt[row["idx"]], panda[row["idx"]], *lengths])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
