"""Starting weights: where they belong, and what is said when they are not there."""

from dataclasses import replace

import pytest

from rrm.errors import ModelUnavailable
from rrm.train import weights
from rrm.train.attempt import Attempt
from rrm.train.weights import provide_weights, weights_folder


def on_the_hub(attempt: Attempt) -> Attempt:
    model = attempt.run.intent.model.model_copy(update={"name": "Qwen/Qwen3-8B", "volume": None})
    intent = attempt.run.intent.model_copy(update={"model": model})
    prepared = attempt.run.prepared.model_copy(update={"model_revision": "c0ffee"})
    run = attempt.run.model_copy(update={"intent": intent, "prepared": prepared})
    return replace(attempt, run=run)


def test_weights_of_a_claim_stay_there(attempt: Attempt) -> None:
    assert weights_folder(attempt) == attempt.claims / "demo" / "model"


def test_a_claim_without_a_model_says_what_is_expected_where(attempt: Attempt) -> None:
    with pytest.raises(ModelUnavailable, match=r"config\.json at .*/claims/demo/model, found none"):
        provide_weights(attempt)


def test_a_claim_with_a_model_is_left_alone(attempt: Attempt) -> None:
    folder = weights_folder(attempt)
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    provide_weights(attempt)


def test_a_hubs_model_is_fetched_once_at_its_pinned_commit(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = on_the_hub(attempt)
    calls: list[tuple[str, str | None]] = []

    def download(name: str, *, revision: str | None, folder: object) -> None:
        calls.append((name, revision))
        partial = weights_folder(hub).with_name("c0ffee.partial")
        assert folder == partial, "an interrupted copy must not pass for a model"
        partial.mkdir(parents=True)
        (partial / "config.json").touch()

    monkeypatch.setattr(weights, "download_model", download)
    provide_weights(hub)
    provide_weights(hub)
    assert calls == [("Qwen/Qwen3-8B", "c0ffee")]
    assert weights_folder(hub) == hub.layout.root / "model" / "c0ffee"
