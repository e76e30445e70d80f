"""`spec.data`, `spec.template`, `spec.reward`: rows, prompts and what answers earn."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rrm_api.fields import ApiModel, Decimal, Share, ShortText, exactly_one
from rrm_api.rules import Rule

URI = r"^(hf://[^/]+/[^/]+(/.+)?|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/.+)$"


class DataFormat(StrEnum):
    """Names of the converters that turn a raw row into a sample."""

    HELPSTEER2_POINTWISE = "helpsteer2_pointwise"


class Label(StrEnum):
    """HelpSteer2's five attributes, each rated 0 to 4 by people."""

    HELPFULNESS = "helpfulness"
    CORRECTNESS = "correctness"
    COHERENCE = "coherence"
    COMPLEXITY = "complexity"
    VERBOSITY = "verbosity"


class Source(ApiModel):
    """Where rows come from and how to read them."""

    format: DataFormat
    """Converter for the raw rows."""
    uri: Annotated[str, Field(max_length=512, pattern=URI)]
    """`hf://org/name[/path]` (hub data set) or `pvc://claim/path` (file or folder in a claim)."""
    label: Label = Label.HELPFULNESS
    """Which attribute is the truth that the judge learns to predict."""
    split: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Published split of a hub data set; default: `train`, for validation sources `validation`."""
    revision: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Commit or tag of a hub data set; default: the newest; the data report names it."""
    limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Keep at most this many rows, drawn with `data.seed` from those that are valid and fit; default: all."""


class Validation(ApiModel):
    """How the rows that choose the best checkpoint are found: a share of the prompts, or own sources."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.data.validation needs exactly one of fraction and sources",
            fraction="fraction",
            sources="sources",
        ),
    )

    fraction: Share | None = None
    """Share of the training prompts, split by prompt group and never by row: `"0.05"`."""
    sources: Annotated[list[Source], Field(min_length=1, max_length=32)] | None = None
    """Own sources; prompts that also occur in training are dropped from training and counted."""


class Data(ApiModel):
    """Rows to learn from, rows to validate on, and what to do with rows that do not fit."""

    train: Annotated[list[Source], Field(min_length=1, max_length=32)]
    """Sources of the training rows."""
    validation: Validation = Validation(fraction="0.05")
    """Rows that are scored every `training.evaluateEverySteps` and choose the best checkpoint."""
    max_invalid_fraction: Share = "0.01"
    """More invalid rows than this share is a data error: nothing is trained."""
    max_prompt_tokens: Annotated[int, Field(ge=16, le=1_048_576)] | None = None
    """Longer prompts are dropped and counted, never cut. Default: from the preset."""
    max_response_tokens: Annotated[int, Field(ge=1, le=1_048_576)] | None = None
    """Room for the judge's answer, reasoning included. Default: from the preset."""
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 1
    """Seed of every random choice: split, order, sampling."""


class Template(ApiModel):
    """The prompt the judge reads. The tag it must answer with and the scale come with the data's format."""

    name: Annotated[str, Field(pattern="^pointwise$", max_length=32)] = "pointwise"
    """Name of the prompt template."""
    task: ShortText | None = None
    """Task text at the top of the prompt; default: rate the source's label on its scale."""
    rubrics: Annotated[list[ShortText], Field(max_length=32)] = []
    """Criteria listed below the task text, one line each."""


class ExponentialReward(ApiModel):
    """Reward exp(-k * |prediction - label| / range of the scale)."""

    k: Annotated[Decimal, Field(pattern=r"^(0\.0*[1-9][0-9]*|[1-9][0-9]*(\.[0-9]+)?)$")] = "2"
    """Decay over the full scale, above 0."""


class LinearReward(ApiModel):
    """Reward 1 - |prediction - label| / range of the scale."""


class Reward(ApiModel):
    """How an answer is paid: exactly one kind. An answer that cannot be read earns the reward's minimum."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.reward needs exactly one of exponential and linear",
            exponential="exponential",
            linear="linear",
        ),
    )

    exponential: ExponentialReward | None = None
    """Falls off exponentially with the distance from the label."""
    linear: LinearReward | None = None
    """Falls off linearly with the distance from the label."""
    format_weight: Share = "0"
    """Share of the reward that is paid for a well-formed answer alone."""
