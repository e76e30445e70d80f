"""Whose folder it is: what a training left behind there is never taken for another's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.data import identity
from rrm.errors import CheckpointMismatch
from rrm.judge.measured import newest_answers
from rrm.train.attempt import newest_attempt
from rrm_api.run import Intent, Layout

MakeIntent = Callable[..., Intent]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, "tiny-judge")


def claim_identity(intent: Intent, layout: Layout, rows: str = "sha256:1") -> None:
    identity.claim_identity(intent, layout, identity.Found(rows))


def measure(layout: Layout, number: int = 1) -> None:
    """Leave what an attempt that measured the untrained model leaves."""
    layout.attempt(number).mkdir(parents=True, exist_ok=True)
    (layout.root / "validations.json").write_text("{}")
    (layout.attempt(number) / "validation-0.parquet").write_bytes(b"rows")
    (layout.attempt(number) / "job.log").write_text("lines")


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_numbers_of_a_spec_that_was_replaced_before_its_first_checkpoint_are_moved_aside(
    layout: Layout, make_intent: MakeIntent
) -> None:
    for reward in ({"exponential": {}}, {"linear": {}}, {"exponential": {}}):
        claim_identity(make_intent(reward=reward), layout)
        measure(layout)
    assert names(layout.root) == {
        *("identity.json", "owner"),
        "validations.json",
        "attempt-1/validation-0.parquet",
        "attempt-1/job.log",
        *("replaced-1/validations.json", "replaced-1/attempt-1/validation-0.parquet"),
        *("replaced-2/validations.json", "replaced-2/attempt-1/validation-0.parquet"),
    }


def test_numbers_of_the_same_spec_stay(layout: Layout, make_intent: MakeIntent) -> None:
    claim_identity(make_intent(), layout)
    measure(layout)
    more = {"maxSteps": 48, "batchSize": 8, "miniBatchSize": 4, "learningRate": "1e-6"}
    claim_identity(make_intent(training=more), layout)
    assert not list(layout.root.glob("replaced-*"))
    assert (layout.root / "validations.json").is_file()


def test_attempts_of_a_predecessor_of_the_same_name_are_moved_aside(
    layout: Layout, make_intent: MakeIntent
) -> None:
    claim_identity(make_intent(uid="11112222-aaaa"), layout)
    measure(layout, 3)
    layout.stop_mark(3).touch()
    (layout.checkpoints / "global_step_12").mkdir(parents=True)
    claim_identity(make_intent(uid="33334444-bbbb"), layout)
    assert newest_attempt(layout) == 0
    assert not layout.stop_mark(3).exists()
    assert (layout.root / "predecessor-11112222-1/attempt-3/job.log").is_file()
    assert (layout.root / "predecessor-11112222-1/stop-3").is_file()
    assert (layout.root / "validations.json").is_file(), "the checkpoints go on, and so do their numbers"
    answers = newest_answers(layout, 0)
    assert answers == layout.root / "predecessor-11112222-1/attempt-3/validation-0.parquet"
    measure(layout, 1)
    assert newest_answers(layout, 0) == layout.attempt(1) / "validation-0.parquet"


@pytest.mark.parametrize("uid", ["", "11112222-aaaa"])
def test_attempts_of_the_same_training_stay(layout: Layout, make_intent: MakeIntent, uid: str) -> None:
    for _ in range(2):
        claim_identity(make_intent(uid=uid), layout)
        measure(layout, 2)
    assert newest_attempt(layout) == 2
    assert not list(layout.root.glob("predecessor-*"))


def test_numbers_of_a_predecessor_with_another_spec_do_not_count(
    layout: Layout, make_intent: MakeIntent
) -> None:
    claim_identity(make_intent(uid="1"), layout)
    measure(layout)
    claim_identity(make_intent(uid="2"), layout)
    claim_identity(make_intent(uid="2", reward={"linear": {}}), layout)
    assert newest_answers(layout, 0) is None
    assert not (layout.root / "validations.json").exists()


@pytest.mark.parametrize(
    ("changes", "rows", "words"),
    [
        pytest.param(
            {},
            "sha256:2",
            "differs in the prepared rows .*; undo that, or create a new training",
            id="other rows under the same spec",
        ),
        pytest.param(
            {"training": {"maxSteps": 24, "batchSize": 16}},
            "sha256:1",
            "differs in spec.training.batchSize;",
            id="another batch size",
        ),
        pytest.param({"nodes": 2}, "sha256:1", "differs in spec.workers.nodes;", id="more nodes"),
    ],
)
def test_checkpoints_are_never_continued_with_what_they_were_not_made_of(
    layout: Layout, make_intent: MakeIntent, changes: dict[str, object], rows: str, words: str
) -> None:
    claim_identity(make_intent(), layout)
    (layout.checkpoints / "global_step_12").mkdir(parents=True)
    with pytest.raises(CheckpointMismatch, match=words):
        claim_identity(make_intent(**changes), layout, rows)


def test_a_renamed_token_secret_continues_its_checkpoints(layout: Layout, make_intent: MakeIntent) -> None:
    model = {"name": "org/model", "reasoning": "None"}
    claim_identity(make_intent(model=model), layout)
    (layout.checkpoints / "global_step_12").mkdir(parents=True)
    claim_identity(make_intent(model=model | {"tokenSecretRef": {"name": "hub", "key": "token"}}), layout)


def test_numbers_of_other_rows_are_moved_aside(layout: Layout, make_intent: MakeIntent) -> None:
    claim_identity(make_intent(), layout)
    measure(layout)
    claim_identity(make_intent(), layout, "sha256:2")
    assert (layout.root / "replaced-1/validations.json").is_file()


def test_every_source_of_a_hub_is_pinned_once_there_are_checkpoints(
    layout: Layout, make_intent: MakeIntent
) -> None:
    source = {"format": "rewardbench", "uri": "hf://org/rows"}
    mine = source | {"revision": "v1"}
    held = {"sources": [source]}
    intent = make_intent(
        model={"name": "org/model", "reasoning": "None"},
        data={"train": [source, mine], "validation": held, "test": held, "decontaminate": [source]},
    )
    found = identity.Found("sha256:1", "m", ["a", "b"], ["c"], ["d"], ["e"])
    identity.claim_identity(intent, layout, found)
    assert identity.pinned(intent, layout) == intent
    (layout.checkpoints / "global_step_12").mkdir(parents=True)
    at = identity.pinned(intent, layout)
    assert at.data.validation.sources is not None
    assert at.data.test is not None
    assert at.data.test.sources is not None
    groups = (at.data.train, at.data.validation.sources, at.data.test.sources, at.data.decontaminate)
    assert [[one.revision for one in group] for group in groups] == [["a", "v1"], ["c"], ["d"], ["e"]]
    assert at.model.revision == "m"
