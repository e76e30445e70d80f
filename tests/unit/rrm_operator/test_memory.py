"""What a list of everything took is given back, although some of it is kept: with the image's allocator."""

import os
import subprocess
import sys
from pathlib import Path

DOCKERFILE = Path(__file__).parents[3] / "Dockerfile"
READS_A_LIST = """
from pathlib import Path
from rrm_operator import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

before = resident()
rows = [{"name": f"judge-{number}", "rest": [str(number)] * 9 + [{"a": number}]} for number in range(100_000)]
kept = [row["name"] for row in rows[::100]]
peak = resident()
del rows
memory.give_back()
print(peak - before, resident() - before)
"""


def test_memory_is_given_back_although_a_part_of_what_was_read_is_kept() -> None:
    words = dict(it.split("=", 1) for it in DOCKERFILE.read_text().split() if it.startswith("PYTHONMALLOC="))
    answer = subprocess.run(
        [sys.executable, "-c", READS_A_LIST], env=os.environ | words, capture_output=True, check=True
    )
    took, kept = map(int, answer.stdout.split())
    assert kept < took / 4
