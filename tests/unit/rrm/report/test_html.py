"""The page: alone in the world, safe with what strangers wrote, complete, and the same for the same files."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from make_run import Try

from rrm.report.curves import HERO, charts_of, found_in
from rrm.report.document import document_of
from rrm.report.gather import Report, gather
from rrm.report.html import render
from rrm_api.spec_train import Method

NOW = "2026-03-01T12:00:00Z"
HOSTILE = "</pre></textarea><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;"
VOID = {"meta", "br", "img", "link", "input", "hr"}


def report_of(root: Path) -> Report:
    return gather(root, now=NOW)


class Page(HTMLParser):
    """Tags, attributes and text of a page; `unclosed` holds what was never closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.unclosed: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_is_fetched_and_no_script_runs(recorded: Path) -> None:
    text = render(report_of(recorded))
    page = Page(text)
    assert page.unclosed == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [
        name for name, _ in page.attributes if name in {"src", "srcset", "action"} or name.startswith("on")
    ]
    assert {
        value for name, value in page.attributes if name == "href" and not str(value).startswith("#")
    } == set()
    assert not re.search(r"url\(|@import|https?://", text.partition("</style>")[0])
    assert "default-src 'none'" in text


def test_what_strangers_wrote_stays_text_wherever_it_is_shown(make: Callable[..., Path]) -> None:
    plain = Page(render(report_of(make(name="plain"))))
    hostile = Page(render(report_of(make(name="plain2", hostile=HOSTILE))))
    assert hostile.tags == plain.tags, "the hostile text made no tag"
    assert hostile.unclosed == []
    shown = hostile.text.count("<script>document.title='owned'</script>")
    assert shown >= 20, "answers, prompts, findings and drop examples all hold it, as text"


def test_the_page_is_the_same_for_the_same_files(recorded: Path) -> None:
    assert render(report_of(recorded)) == render(report_of(recorded))


def test_only_a_live_page_loads_itself_again(running: Path) -> None:
    report = report_of(running)
    assert 'http-equiv="refresh"' not in render(report)
    assert '<meta http-equiv="refresh" content="5">' in render(report, is_live=True)


def test_every_section_is_there(recorded: Path) -> None:
    text = Page(render(report_of(recorded))).text
    for words in (
        "LEARNING", "over constant-2, 95", "Validation reward", "Training reward", "Entropy", "Cut off",
        "KL to the starting model", "Prompts that teach nothing", "Answer length", "Seconds per step",
        "Labels against scores", "Labels and scores", "Right answers", "Wrong answers", "could not be read",
        "Effective hyper-parameters", "learning_rate", "actor_rollout_ref.actor.optim.lr=1e-06", "Versions",
        "0.9.1", "GPU hours", "prompt_too_long", "line 17", "hf://allenai/reward-bench",
        "write a haiku about rain", "ClusterLost: a node went away", "Recorded by the training.",
    ):  # fmt: skip
        assert words in text, words


def test_secrets_among_the_overrides_are_not_passed_on(recorded: Path) -> None:
    text = render(report_of(recorded))
    assert "never-shown" not in text
    assert "WANDB_API_KEY=***" in text


def test_secrets_in_the_spec_are_not_passed_on_either(recorded: Path) -> None:
    """The spec's own overrides stand in it; the trainer's file of overrides is not the only place."""
    path = recorded / "attempt-2" / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    run["intent"]["training"]["overrides"] = {
        "+ray_kwargs.ray_init.runtime_env.env_vars.WANDB_API_KEY": "never-shown",
        "+ray_kwargs.ray_init.runtime_env.env_vars": "{HF_TOKEN: never-shown, 'X_SECRET': never-shown}",
    }
    path.write_text(json.dumps(run), encoding="utf-8")
    report = report_of(recorded)
    for text in (render(report), json.dumps(document_of(report))):
        assert "never-shown" not in text
        assert "HF_TOKEN: ***" in text


def test_a_split_by_right_and_wrong_that_was_not_logged_is_said_to_be_absent(
    make: Callable[..., Path],
) -> None:
    report = report_of(make(has_split=False))
    entropy = next(spec for spec in charts_of(Method.POINTWISE) if spec.title == "Entropy")
    assert found_in(report, entropy).absent == ("right", "wrong")
    assert "right, wrong: not logged" in Page(render(report)).text


def test_labels_that_are_no_numbers_are_listed_though_not_drawn(recorded: Path) -> None:
    path = recorded / "data" / "data.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["parts"]["train"]["labels"] = {"good": 3, "1": 9}
    path.write_text(json.dumps(data))
    text = render(report_of(recorded))
    assert "<td>good</td><td>3</td>" in text
    assert "training labels, 1: 100.0%" in text


def test_pairs_are_told_in_their_own_words(make: Callable[..., Path]) -> None:
    text = Page(render(report_of(make(name="pairs", is_pairwise=True)))).text
    assert "Pairwise judge" in text
    assert "accuracy" in text
    assert "The pair in the other order" in text
    assert re.search(r"label\s+(A|B|tie)", text)
    assert "QWK" not in text
    assert "order.firstWins" in text


def test_a_resume_is_marked_in_every_curve(recorded: Path) -> None:
    page = render(report_of(recorded))
    assert page.count("resumed from step 12</title>") == 2 + len(charts_of(Method.POINTWISE))


def test_the_reward_is_drawn_with_floors_and_the_untrained_model(recorded: Path) -> None:
    report = report_of(recorded)
    hero = re.search(r'<section class="card hero">.*?</section>', render(report), re.S)
    assert hero is not None
    for name, value in (*report.floors.items(), ("untrained", report.validations[0]["reward"])):
        assert f"{name} {value:.3f}".rstrip("0") in hero[0]
    points = found_in(report, HERO).lines[0][1]
    assert hero[0].count('<circle class="dot one"') == 2 * len(points), "each point, in both widths"


@pytest.mark.parametrize("steps", [400, 3000])
def test_a_long_run_keeps_the_page_small(make: Callable[..., Path], steps: int) -> None:
    root = make(
        name=f"long-{steps}",
        total_steps=steps,
        evaluate_every=steps,
        save_every=steps,
        tries=(Try(0, steps),),
    )
    page = render(report_of(root))
    assert len(page.encode()) < 1_000_000
    assert "faint, each step" in page


def test_endless_answers_are_cut_in_the_page_and_that_is_said(make: Callable[..., Path]) -> None:
    page = render(report_of(make(hostile="x" * 20_000)))
    assert "more characters: `rrm inspect` shows them" in page
    assert len(page) < 2_000_000
