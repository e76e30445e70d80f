"""``python -m rrm_test_cluster.suite``: all that must pass; the last line counts passes, failures and skips.

Above it stand the tests that failed, as who has only the end of a long log must learn what to look for.
A failing check ends it at once, as all else would fail too; then every stage runs, whatever failed before.
Stages run in three lanes beside each other: verl, starting and training, leaves a third of two cores idle,
and tests of the operator mostly wait.
"""

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rrm_test_cluster.demo.errors import DemoError, NotHere
from rrm_test_cluster.demo.machine import check_room, is_built, make_trainer_environment
from rrm_test_cluster.demo.material import fill_claim
from rrm_test_cluster.demo.places import Places
from rrm_test_cluster.demo.telling import Teller, clock
from rrm_test_cluster.errors import ClusterError
from rrm_test_cluster.node_deps import install_browser, install_node_deps
from rrm_test_cluster.tools import build_tools

REPORTS: Final = Path(".rrm/test")
_WHOLE_IMAGE_GIB: Final = 16
"""The trainer's image with its environment: in the builder, the archive, and the node twice."""
_LONGEST_WORDS: Final = 400
_LAST_LINES: Final = 3
"""Of a failure of many lines, such as one that carries a log, the last ones say why."""
_INTERRUPTED: Final = 2
"""How pytest ends after Ctrl-C."""


@dataclass(frozen=True)
class Stage:
    """One call of pytest.

    Attributes:
        name: For people.
        marks: pytest's marker expression; every test belongs to exactly one stage, benches to none.
        workers: Processes; one where tests share a cluster that takes long to start.
        minutes: Usual duration.
        niceness: How far it stands back for the others; only where no test watches a clock.
    """

    name: str
    marks: str
    workers: int
    minutes: str
    niceness: int = 0


_ELSEWHERE: Final = "and not (bench or long)"
LANES: Final = (
    (
        Stage("cluster-verl", f"node and verl {_ELSEWHERE}", 1, "30"),
        Stage("node", f"node and not verl {_ELSEWHERE}", 1, "11"),
    ),
    (
        # Its lane is the shortest one, the first the longest.
        Stage("trainer", f"verl and not node {_ELSEWHERE}", 1, "27", niceness=5),
        Stage("interop", f"interop and not (api or fakenodes or node or verl) {_ELSEWHERE}", 1, "3"),
        Stage(
            "browser", f"browser and not (api or fakenodes or node or verl or interop) {_ELSEWHERE}", 1, "1"
        ),
    ),
    (
        Stage(
            "slow",
            f"slow and not (api or fakenodes or node or verl or interop or browser) {_ELSEWHERE}",
            1,
            "4",
        ),
        Stage("api", f"api and not (fakenodes or node or verl) {_ELSEWHERE}", 2, "9"),
        Stage("fake-nodes", f"fakenodes and not (node or verl) {_ELSEWHERE}", 1, "21"),
    ),
)
"""Each lane runs its stages one after the other; verl in two of them at most: 8 GiB of memory."""


@dataclass(frozen=True)
class Outcome:
    """What a stage came to.

    Attributes:
        stage: Its name.
        exit_code: pytest's.
        passed: How many tests.
        failed: Each with the first and last lines of what went wrong.
        skipped: The reason of each.
        seconds: How long it took.
    """

    stage: str
    exit_code: int
    passed: int
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether it ran something and nothing failed; pytest ends with 5 where there was nothing to run."""
        return self.exit_code == 0 and self.passed > 0

    def line(self) -> str:
        """Return its line of the summary."""
        verdict = "ok" if self.is_good else "FAILED"
        counts = f"{self.passed:>5} passed {len(self.failed):>4} failed {len(self.skipped):>4} skipped"
        return f"  {self.stage:<12} {counts}   {clock(self.seconds)}   {verdict}"


def main() -> int:
    """Run every stage and return the exit code."""
    tell = Teller()
    tell(
        "everything that must pass: usually 45 min where all was built before, at most 75 min the first time"
    )
    if subprocess.run(["make", "--no-print-directory", "check"], check=False).returncode != 0:
        tell("make check failed: nothing else was run")
        return 1
    try:
        check_room(is_first=not is_built(), more_gib=_WHOLE_IMAGE_GIB)
    except NotHere as error:
        tell(str(error))
        return error.exit_code
    _make_ready(tell)
    with ThreadPoolExecutor(len(LANES)) as threads:
        lanes = list(threads.map(lambda lane: _run_lane(lane, tell), LANES))
    return summary([outcome for lane in lanes for outcome in lane], tell)


def _make_ready(tell: Teller) -> None:
    """Make what is missing, each thing by itself: where one cannot be had, only the stages that need it skip.

    One after the other, as the compiler and the trainer each want the whole machine. Both lanes need the tiny
    model, which is made once.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: build_tools(tell),
        lambda: install_node_deps(tell),
        lambda: install_browser(tell),
        lambda: make_trainer_environment(tell),
        lambda: make_trainer_environment(tell, "cpu-verl04"),
        lambda: fill_claim(Places().claim, tell),
    )
    for step in steps:
        try:
            step()
        except (ClusterError, DemoError) as error:
            tell(f"not everything is here: {error}")


def _run_lane(lane: Sequence[Stage], tell: Teller) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for stage in lane:
        outcomes.append(_run(stage, tell))
        # Ctrl-C reaches pytest, not this thread: what follows must not start.
        if outcomes[-1].exit_code == _INTERRUPTED:
            break
    return outcomes


def _run(stage: Stage, tell: Teller) -> Outcome:
    tell(f"stage {stage.name}, usually {stage.minutes} min")
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{stage.name}.xml"
    report.unlink(missing_ok=True)
    workers = (f"--numprocesses={stage.workers}", "--dist=loadfile") if stage.workers > 1 else ()
    start = time.monotonic()
    pytest_command = [sys.executable, "-m", "pytest", "-v", "-m", stage.marks, f"--junitxml={report}"]
    command = ["nice", "-n", str(stage.niceness), *pytest_command, *workers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            # One string, so that lines of the two lanes never mix.
            print(f"{stage.name:>12} | {line.rstrip()}\n", end="", flush=True)
    return read_report(stage.name, report, pytest.returncode, time.monotonic() - start)


def read_report(stage: str, report: Path, exit_code: int, seconds: float) -> Outcome:
    """Return the outcome of a stage from pytest's own report; a stage without one passed nothing."""
    if not report.exists():
        return Outcome(stage, exit_code or 1, 0, (), (), seconds)
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    skipped = tuple(found.get("message", "") for case in cases for found in case.iter("skipped"))
    failed = tuple(told for case in cases if (told := _failure(case)))
    return Outcome(stage, exit_code, len(cases) - len(failed) - len(skipped), failed, skipped, seconds)


def _failure(case: ElementTree.Element) -> str:
    found = [it for it in case if it.tag in ("failure", "error")]
    if not found:
        return ""
    first, *more = [it[:_LONGEST_WORDS] for it in found[0].get("message", "").strip().splitlines()] or [""]
    told = [f"{case.get('classname', '')}::{case.get('name', '')}: {first}"]
    told += ["    ..."] * (len(more) > _LAST_LINES) + [f"    {it}" for it in more[-_LAST_LINES:]]
    return "\n".join(told)


def summary(outcomes: list[Outcome], tell: Teller) -> int:
    """Print what all stages came to and return the exit code."""
    is_good = all(outcome.is_good for outcome in outcomes)
    skips = Counter(reason for outcome in outcomes for reason in outcome.skipped)
    tell(f"{'everything passed' if is_good else 'NOT everything passed'} in {clock(tell.seconds)}")
    lines = ["  check        passed before the stages", *(outcome.line() for outcome in outcomes)]
    lines += [f"FAILED {outcome.stage}: {told}" for outcome in outcomes for told in outcome.failed]
    lines += [f"SKIPS: {skips.total()}", *(f"  {count} x {reason}" for reason, count in skips.most_common())]
    passed, failed = sum(it.passed for it in outcomes), sum(len(it.failed) for it in outcomes)
    # Alone on a line, as whoever reads logs by machine expects it.
    lines.append(f"{passed} passed, {failed} failed, {skips.total()} skipped")
    print("\n".join(lines), flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
