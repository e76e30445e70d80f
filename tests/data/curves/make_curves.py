"""Make the committed curves: `python make_curves.py OUT`; NOTICE.md says where the points were read."""

import random
import sys
from itertools import pairwise
from pathlib import Path

COLLAPSE = {0: 0.5595, 60: 0.615, 75: 0.61, 88: 0.495, 262: 0.568, 348: 0.582, 380: 0.615}
HEALTHY = {0: 0.605, 10: 0.665, 50: 0.70, 100: 0.715, 150: 0.73, 200: 0.73}
HEALTHY |= {280: 0.745, 320: 0.726, 337: 0.774, 370: 0.76}
EXACT = {0: 0.32, 80: 0.376, 95: 0.38, 170: 0.369, 270: 0.392, 290: 0.392, 340: 0.375, 370: 0.392}


def curve(points: dict[int, float], *, noise: float, every: int = 1) -> list[tuple[int, float]]:
    """Return steps and values: straight lines between points, plus normal noise."""
    chance = random.Random(1)
    found = []
    for (start, low), (end, high) in pairwise(points.items()):
        for step in range(start, end):
            found.append((step, low + (high - low) * (step - start) / (end - start)))
    found.append((end, high))
    return [(step, value + chance.gauss(0, noise)) for step, value in found if step % every == 0]


def main(out: Path) -> None:
    """Write the three curves."""
    curves = {
        "pairwise-qwen2.5-14b": curve(COLLAPSE, noise=0.02),
        "pointwise-qwen3-8b": curve(HEALTHY, noise=0.02),
        "pointwise-qwen3-8b-validation": curve(EXACT, noise=0.015, every=5),
    }
    for name, rows in curves.items():
        lines = ["step,value", *(f"{step},{value:.4f}" for step, value in rows)]
        (out / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
