"""Digests of what a spec asks for: they change with what a person says, and with nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from rrm_api.run import Intent, RunFile, digest_of, fingerprint, intent_of
from rrm_api.spec_data import Data, Plugins, Source
from rrm_api.spec_pods import Checkpoints, CheckpointVolume, EnvVar, Export, HeadPods, JobPods, Workers
from rrm_api.spec_scheduling import Scheduling
from rrm_api.spec_train import Model, Policy, Training
from rrm_api.v1alpha1 import RewardModelTraining, RewardModelTrainingSpec, parse_training
from rrm_operator.assess.inputs import export_input_of, identity_of, prepare_input_of, shape_of

Digest = Callable[[RewardModelTraining], str]


def export_input(training: RewardModelTraining) -> str:
    return export_input_of(training, attempt=1, run_digest="r")


def intent_digest(training: RewardModelTraining) -> str:
    return intent_of(training).digest()


DIGESTS = pytest.mark.parametrize(
    "digest", [shape_of, identity_of, prepare_input_of, export_input, intent_digest]
)


# A later version of the API: everywhere a field more, with a default.
class LaterWorkers(Workers):
    spot: bool = False


class LaterHead(HeadPods):
    hints: tuple[str, ...] = ()


class LaterJobs(JobPods):
    hints: Plugins | None = None


class LaterEnvVar(EnvVar):
    optional: bool = False


class LaterVolume(CheckpointVolume):
    snapshot: str = "none"


class LaterCheckpoints(Checkpoints):
    volume: LaterVolume
    compress: bool = False


class LaterScheduling(Scheduling):
    weight: int = 1


class LaterPolicy(Policy):
    patience: int = 3


class LaterExport(Export):
    card: LaterPolicy = LaterPolicy()


class LaterSource(Source):
    weight: str = "1"


class LaterData(Data):
    train: list[LaterSource]
    shuffle: bool = True


class LaterModel(Model):
    dialect: str = "plain"


class LaterTraining(Training):
    warm_up: int = 0


class LaterSpec(RewardModelTrainingSpec):
    workers: LaterWorkers
    head: LaterHead = LaterHead()
    jobs: LaterJobs = LaterJobs()
    env: tuple[LaterEnvVar, ...] = ()
    checkpoints: LaterCheckpoints
    scheduling: LaterScheduling = LaterScheduling()
    policy: LaterPolicy = LaterPolicy()
    export: LaterExport = LaterExport()
    data: LaterData
    model: LaterModel
    training: LaterTraining = LaterTraining()
    notes: str = ""


class LaterRewardModelTraining(RewardModelTraining):
    spec: LaterSpec


class LaterIntent(Intent):
    data: LaterData
    model: LaterModel
    training: LaterTraining
    notes: str = ""


class LaterRunFile(RunFile):
    intent: LaterIntent


@pytest.fixture(params=["full", "tiny-cpu"])
def manifest(request: Any, load_example: Callable[[str], Any]) -> Any:
    return load_example(request.param)


@DIGESTS
def test_a_field_that_a_later_version_adds_changes_no_digest(manifest: Any, digest: Digest) -> None:
    later = LaterRewardModelTraining.model_validate(manifest)
    assert "spot" in later.spec.manifest()["workers"], "the later version really says more"
    assert digest(later) == digest(parse_training(manifest))


def test_a_run_of_a_later_version_has_the_digest_and_the_fingerprint_of_this_one(manifest: Any) -> None:
    intent = intent_of(parse_training(manifest))
    later = LaterIntent.model_validate(intent.manifest())
    assert "dialect" in later.manifest()["model"], "the later version really says more"
    assert later.digest() == intent.digest()
    assert fingerprint(later) == fingerprint(intent)


@pytest.mark.parametrize(
    ("digest", "part", "chosen"),
    [
        (shape_of, "workers", {"nodeSelector": {"pool": "other"}}),
        (shape_of, "policy", {"onDrain": "Save"}),
        (shape_of, "checkpoints", {"saveGraceSeconds": 7}),
        (identity_of, "data", {"seed": 4711}),
        (prepare_input_of, "jobs", {"nodeSelector": {"pool": "other"}}),
        (export_input, "export", {"checkpoint": "Last"}),
        (intent_digest, "training", {"learningRate": "7e-7"}),
    ],
)
def test_what_is_chosen_changes_the_digest_that_it_is_for(
    load_example: Callable[[str], Any], digest: Digest, part: str, chosen: Any
) -> None:
    manifest = load_example("tiny-cpu")
    said = {**manifest["spec"].get(part, {}), **chosen}
    edited = {**manifest, "spec": {**manifest["spec"], part: said}}
    assert digest(parse_training(edited)) != digest(parse_training(manifest))


@DIGESTS
def test_a_default_that_is_written_out_changes_no_digest(
    load_example: Callable[[str], Any], digest: Digest
) -> None:
    manifest = load_example("tiny-cpu")
    written_out = {**manifest, "spec": parse_training(manifest).spec.manifest()}
    assert "restartBackoffSeconds" in written_out["spec"]["policy"]
    assert digest(parse_training(written_out)) == digest(parse_training(manifest))


@DIGESTS
def test_the_order_of_keys_changes_no_digest(manifest: Any, digest: Digest) -> None:
    assert digest(parse_training(_reversed(manifest))) == digest(parse_training(manifest))


def test_the_run_files_text_has_the_digest_that_its_reader_finds(manifest: Any) -> None:
    intent = intent_of(parse_training(manifest))
    text = json.dumps(intent.manifest(with_defaults=False))
    assert digest_of(json.loads(text)) == Intent.model_validate_json(text).digest() == intent.digest()


def _reversed(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _reversed(document[key]) for key in reversed(document)}
    return [_reversed(it) for it in document] if isinstance(document, list) else document
