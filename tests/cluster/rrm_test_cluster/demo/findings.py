"""The demo's claims, each compared with what was found: pure, and not one is skipped."""

from dataclasses import dataclass
from typing import Final

from rrm.data.parts import ALSO_IN_VALIDATION, OVER_LIMIT
from rrm_test_cluster.client import Manifest
from rrm_test_cluster.demo.results import Results
from rrm_test_cluster.demo.watch import glimpse

READ_ROWS: Final = 503
FITTING_TRAIN_ROWS: Final = 254
VALIDATION_ROWS: Final = 64
FITTING_VALIDATION_ROWS: Final = 228
GREATEST_DISAGREEMENT: Final = 1e-4
LEAST_GAIN: Final = 0.08
LEAST_PARSE_RATE: Final = 0.85
LEAST_CHECKPOINTS: Final = 2


@dataclass(frozen=True)
class Finding:
    """One claim.

    Attributes:
        claim: What should hold.
        holds: Whether it does.
        found: The figure.
    """

    claim: str
    holds: bool
    found: str


def examine(training: Manifest, results: Results) -> tuple[Finding, ...]:
    """Compare every claim of the demo with what the training left behind."""
    succeeded = glimpse(training).succeeded
    return (
        Finding("the training says Succeeded", succeeded == "True", succeeded),
        *_rows(results),
        _agreement(results),
        _checkpoints(results),
        *_gain(results),
        _exported(results),
    )


def _rows(results: Results) -> tuple[Finding, ...]:
    prepared = results.run.prepared
    data = prepared.data
    dropped = {entry.reason: entry.rows for entry in data.dropped}
    # Rows that fit are those that are used, those whose prompt validation has too, those beyond the limit.
    fitting = data.train + dropped.get(ALSO_IN_VALIDATION, 0)
    fitting_validation = data.validation + dropped.get(OVER_LIMIT, 0)
    counts = (
        ("rows read", prepared.read_rows, READ_ROWS),
        ("training rows that fit", fitting, FITTING_TRAIN_ROWS),
        ("validation rows that fit", fitting_validation, FITTING_VALIDATION_ROWS),
        ("rows to validate on", data.validation, VALIDATION_ROWS),
        ("rows used or dropped by name", data.train + data.validation + sum(dropped.values()), READ_ROWS),
    )
    return tuple(
        Finding(f"{expected} {what}", found == expected, str(found)) for what, found, expected in counts
    )


def _agreement(results: Results) -> Finding:
    steps = set(range(1, results.run.prepared.total_steps + 1))
    worst = max(results.agreements.values(), default=float("inf"))
    return Finding(
        f"engine and trainer agree within {GREATEST_DISAGREEMENT:g} at each of {len(steps)} steps",
        steps <= set(results.agreements) and worst < GREATEST_DISAGREEMENT,
        f"{worst:.2g} at worst, {len(results.agreements)} steps logged",
    )


def _checkpoints(results: Results) -> Finding:
    steps = ", ".join(str(step) for step in results.whole_steps) or "none"
    return Finding(
        f"at least {LEAST_CHECKPOINTS} whole checkpoints",
        len(results.whole_steps) >= LEAST_CHECKPOINTS,
        f"steps {steps}",
    )


def _gain(results: Results) -> tuple[Finding, ...]:
    measured = results.validations
    if len(measured) < 2 or 0 not in measured:
        return (Finding("validated before the first step and after", False, f"steps {sorted(measured)}"),)
    last = max(measured)
    gain = measured[last]["reward"] - measured[0]["reward"]
    parse_rate = measured[last]["parse_rate"]
    return (
        Finding(
            f"validation reward up by at least {LEAST_GAIN}",
            gain >= LEAST_GAIN,
            f"{measured[0]['reward']:.3f} -> {measured[last]['reward']:.3f}",
        ),
        Finding(
            f"at least {LEAST_PARSE_RATE:.0%} of the trained judge's answers readable",
            parse_rate >= LEAST_PARSE_RATE,
            f"{parse_rate:.1%}",
        ),
    )


def _exported(results: Results) -> Finding:
    return Finding(
        "the exported folder loads with transformers and answers in the right format",
        results.asked > 0 and results.readable >= LEAST_PARSE_RATE * results.asked,
        f"{results.readable} of {results.asked} answers readable",
    )
