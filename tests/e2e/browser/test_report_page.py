"""`report.html` in a real browser: the curves are there, on a phone and a wide screen, by day and night."""

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rrm.report.write import write_report

pytestmark = pytest.mark.browser
INSTALL = "apt-get install --no-install-recommends chromium"
RECORDED = Path(__file__).parents[2] / "data" / "recorded_run" / "tiny-judge"
Pixels = npt.NDArray[np.float64]
"""(height, width, 3), red, green and blue from 0 to 1."""
BY_DAY = {"judge": (0x24, 0x57, 0xD6), "right": (0x1F, 0x8A, 0x4C), "wrong": (0xC8, 0x37, 0x2D)}
PAPER, PAPER_BY_NIGHT = (0xF7, 0xF7, 0xF4), (0x13, 0x15, 0x17)
COLOURS = {2: 3, 6: 4}
"""By colour type."""
WithScript = Callable[[Path, str], Path]
MEASURE = """<script>addEventListener('load', () => {
  const box = e => e.getBoundingClientRect();
  const at = e => { const b = box(e); return [b.left, b.top, b.width, b.height].map(Math.round) };
  const pictures = [...document.querySelectorAll('main svg')].filter(e => e.clientWidth > 0);
  parent.document.title = JSON.stringify({
    width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight,
    hero: at(pictures.find(e => e.closest('.hero'))), charts: pictures.map(at),
    row: Math.max(...[...document.querySelectorAll('.numbers tr')].map(e => box(e).height)),
    matrix: box(document.querySelector('.matrix')).right,
    text: Math.min(...pictures.flatMap(p => [...p.querySelectorAll('text')].map(t => box(t).height))),
  });
});</script>"""


@dataclass(frozen=True)
class Browser:
    """Chromium without a screen; each call is a fresh one with its own profile."""

    program: str
    folder: Path

    def screenshot(self, page: Path, width: int, height: int, *options: str) -> Pixels:
        """Return what the page looks like."""
        picture = self.folder / f"{page.stem}-{width}x{height}{len(options)}.png"
        self._run(page, f"--window-size={width},{height}", f"--screenshot={picture}", *options)
        return pixels_of(picture)

    def dom(self, page: Path, width: int, height: int) -> str:
        """Return the page as it is after loading."""
        return self._run(page, f"--window-size={width},{height}", "--dump-dom")

    def _run(self, page: Path, *options: str) -> str:
        command = [
            self.program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={self.folder / 'profile'}",
            "--virtual-time-budget=3000",
            *options,
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


def pixels_of(path: Path) -> Pixels:
    """Return the pixels of a PNG file as browsers write it: no palette, not interlaced.

    Raises:
        ValueError: It is of another kind.
    """
    data, at, packed = path.read_bytes(), 8, b""
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", data[16:29])
    if depth != 8 or colour not in COLOURS or any(rest):
        raise ValueError(f"{path}: expected 8 bits of red, green and blue, found {depth}, {colour}, {rest}")
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    stored = lines[:, 1:].reshape(height, width, COLOURS[colour])
    return _unfiltered(stored, lines[:, 0])[:, :, :3] / 255


def _unfiltered(stored: npt.NDArray[np.uint8], filters: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return what was stored as differences from the left, upper and upper left neighbours.

    Neighbours of a diagonal lie on the two before it, so each is done at once.
    """
    height, width, channels = stored.shape
    found = np.zeros((height + 1, width + 1, channels), dtype=np.int64)
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, up, corner = found[y + 1, x], found[y, x + 1], found[y, x]
        far = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]  # of left, up and corner
        of_both = np.where(far[1] <= far[2], up, corner)
        nearest = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, of_both)
        guesses = [np.zeros_like(left), left, up, (left + up) // 2, nearest]
        found[y + 1, x + 1] = (stored[y, x] + np.choose(filters[y, None], guesses)) % 256
    return found[1:, 1:]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """The browser, or a skip that says how to get it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip(f"nobody looked at report.html: no chromium on PATH; install it with `{INSTALL}`")
    return Browser(program, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded training's page, as `rrm report` writes it."""
    folder = tmp_path_factory.mktemp("page")
    training = Path(shutil.copytree(RECORDED, folder / "tiny-judge"))
    return write_report(training, folder / "report.html", now="2026-03-01T12:00:00Z").page


@pytest.fixture(scope="session")
def with_script(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """Return a maker of copies in which one script of ours may run: the page itself forbids all."""

    def copy(page: Path, script: str) -> Path:
        text, removed = re.subn(
            r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8")
        )
        assert removed == 1
        made = tmp_path_factory.mktemp("copy") / f"{page.stem}.html"
        made.write_text(text.replace("</head>", f"{script}</head>"), encoding="utf-8")
        return made

    return copy


def measured(browser: Browser, copy: Path, width: int, height: int) -> dict[str, Any]:
    """Return what `MEASURE` found on a screen; in a frame, as a window is never below 500 pixels wide."""
    frame = copy.with_name(f"frame-{width}.html")
    inner = html.escape(copy.read_text("utf-8"))
    style = f"width:{width}px;height:{height}px;border:0"
    frame.write_text(f'<title></title><iframe srcdoc="{inner}" style="{style}"></iframe>', encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", browser.dom(frame, 1400, 1000), re.S)
    assert title is not None
    found: dict[str, Any] = json.loads(html.unescape(title[1]))
    return found


def near(pixels: Pixels, colour: tuple[int, int, int]) -> Any:
    """Return where a colour is, anti-aliasing forgiven: (height, width)."""
    return np.abs(pixels - np.array(colour) / 255).max(axis=2) < 0.06


def inside(pixels: Pixels, box: list[int]) -> Pixels:
    left, top, width, height = box
    return pixels[top : top + height, left : left + width]


@dataclass(frozen=True)
class Seen:
    """The whole page on a screen: what was measured of it, and its pixels."""

    measured: dict[str, Any]
    pixels: Pixels

    @property
    def hero(self) -> Pixels:
        """Pixels of the picture of the validation reward."""
        return inside(self.pixels, self.measured["hero"])


@pytest.fixture(
    scope="module", params=[pytest.param(360, id="a phone"), pytest.param(1280, id="a wide screen")]
)
def seen(request: pytest.FixtureRequest, browser: Browser, page: Path, with_script: WithScript) -> Seen:
    """The recorded page, whole, on each screen."""
    return look(browser, with_script(page, MEASURE), request.param)


def look(browser: Browser, copy: Path, width: int) -> Seen:
    found = measured(browser, copy, width, 800)
    return Seen(found, browser.screenshot(copy, width, found["height"]))


def test_the_validation_curve_runs_from_the_left_to_the_right_and_upwards(seen: Seen) -> None:
    picture = seen.hero
    curve = near(picture, BY_DAY["judge"])
    columns = np.flatnonzero(curve.any(axis=0))
    assert len(columns) > 0.8 * (picture.shape[1] - 60), "all the way, but for the axis at the left"
    heights = [np.flatnonzero(curve[:, x]).mean() for x in (columns[2], columns[-3])]
    assert heights[0] - heights[1] > 0.5 * picture.shape[0], (
        "the recorded judge learns: it ends far above its start"
    )
    assert curve.mean() < 0.05, "a line, not a surface"


def test_every_chart_is_drawn_and_none_is_blank(seen: Seen) -> None:
    charts = [inside(seen.pixels, box) for box in seen.measured["charts"]]
    assert len(charts) == 15, "the interval, the reward, twelve cards and the histogram"
    for chart, box in zip(charts[1:], seen.measured["charts"][1:], strict=True):
        assert near(chart, BY_DAY["judge"]).sum() > 100, box
    for split in ("right", "wrong"):
        drawn = [chart for chart in charts[1:] if near(chart, BY_DAY[split]).sum() > 100]
        assert len(drawn) == 2, "entropy and cut-off answers are told apart"


def test_a_page_without_its_curves_would_be_noticed(
    browser: Browser, page: Path, with_script: WithScript
) -> None:
    hidden = "<style>svg .line, svg .dot {display: none}</style>"
    blank = look(browser, with_script(page, MEASURE + hidden), 360)
    assert near(blank.hero, BY_DAY["judge"]).sum() == 0


def test_nothing_is_wider_than_the_screen_and_text_stays_legible(seen: Seen) -> None:
    width = seen.pixels.shape[1]
    assert seen.measured["width"] == width
    assert all(left >= 0 and left + wide <= width for left, _, wide, _ in seen.measured["charts"])
    assert seen.measured["matrix"] <= width, "the confusion matrix is seen whole"
    assert seen.measured["row"] < 50, "no cell of the table of numbers is broken letter by letter"
    assert seen.measured["text"] >= 10, "the smallest letters of a picture, in pixels of line height"


def test_the_first_screen_says_the_verdict(browser: Browser, page: Path) -> None:
    pixels = browser.screenshot(page, 360, 800)
    assert pixels.shape[:2] == (800, 360)
    assert near(pixels, BY_DAY["right"]).sum() > 1000, "LEARNING, large and green"


def test_by_night_it_is_dark(browser: Browser, page: Path) -> None:
    night = browser.screenshot(page, 1280, 900, "--blink-settings=preferredColorScheme=0")
    day = browser.screenshot(page, 1280, 900)
    assert near(day, PAPER).mean() > 0.2
    assert near(night, PAPER_BY_NIGHT).mean() > 0.2


def test_the_page_itself_lets_no_script_run(browser: Browser, page: Path, tmp_path: Path) -> None:
    copy = tmp_path / "smuggled.html"
    smuggled = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    copy.write_text(page.read_text("utf-8").replace("<main>", f"<main>{smuggled}"), encoding="utf-8")
    assert "<title>owned</title>" not in browser.dom(copy, 1280, 900)
    assert "<title>tiny-judge: LEARNING</title>" in browser.dom(copy, 1280, 900)
