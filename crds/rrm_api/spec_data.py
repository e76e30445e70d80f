"""`spec.data`, `spec.template`, `spec.reward`: rows, prompts and what answers earn."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rrm_api.fields import (
    ApiModel,
    Decimal,
    EntryPoint,
    LongText,
    ObjectName,
    RelativePath,
    Share,
    ShortText,
    exactly_one,
)
from rrm_api.rules import Rule

URI = r"^(hf://[^/]+/[^/]+(/.+)?|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/.+)$"


class DataFormat(StrEnum):
    """Names of the converters that turn a raw row into a sample."""

    HELPSTEER2_POINTWISE = "helpsteer2_pointwise"
    HELPSTEER2_PAIRWISE = "helpsteer2_pairwise"
    HELPSTEER3_PREFERENCE = "helpsteer3_preference"
    ULTRAFEEDBACK_POINTWISE = "ultrafeedback_pointwise"
    ULTRAFEEDBACK_PAIRWISE = "ultrafeedback_pairwise"
    REWARDBENCH = "rewardbench"
    REWARDBENCH2 = "rewardbench2"
    RMBENCH = "rmbench"
    RMBBENCHMARK_PAIRWISE = "rmbbenchmark_pairwise"
    RMBBENCHMARK_BESTOFN = "rmbbenchmark_bestofn"
    JUDGEBENCH = "judgebench"
    PRMBENCH = "prmbench"
    PANDALM = "pandalm"
    LLMBAR = "llmbar"
    AUTOJ = "autoj"
    CHAT_MESSAGE = "chat_message"
    DATA_SAMPLE = "data_sample"
    GENERIC = "generic"
    CUSTOM = "custom"


class LabelScale(ApiModel):
    """Range of a source's labels, whole numbers."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.low < self.high",
            message="spec.data: a scale needs low below high",
            holds=lambda scale: scale.low < scale.high,
        ),
    )

    low: Annotated[int, Field(ge=-100, le=100)]
    """Worst score."""
    high: Annotated[int, Field(ge=-100, le=100)]
    """Best score."""


class Source(ApiModel):
    """Where rows come from and how to read them."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="(self.format == 'custom') == has(self.entryPoint)",
            message="spec.data: entryPoint names the converter of the format custom, and of no other",
            holds=lambda source: (source.format is DataFormat.CUSTOM) == (source.entry_point is not None),
        ),
    )

    format: DataFormat
    """Converter for the raw rows; `data_sample` = RM-Gallery's own files, `custom` = `entryPoint`."""
    entry_point: EntryPoint | None = None
    """Own converter, `package.module:name`, found on the path of `spec.plugins` or in the image."""
    uri: Annotated[str, Field(max_length=512, pattern=URI)]
    """`hf://org/name[/path]` (hub data set) or `pvc://claim/path` (file or folder in a claim)."""
    label: Annotated[str, Field(max_length=64, pattern="^[A-Za-z][A-Za-z0-9_-]*$")] | None = None
    """Which attribute is the truth that the judge learns to predict; default: the format's first
    (HelpSteer2: helpfulness)."""
    scale: LabelScale | None = None
    """Range of the label; default: the format's. `generic` and `data_sample` rows carry none."""
    split: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Published split of a hub data set; default: `train`, for validation sources `validation`, for test
    sources and benchmarks `test`."""
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
    test: Validation | None = None
    """Rows kept for the end: of prompts that no other has, never trained on. Nothing scores them yet."""
    decontaminate: Annotated[list[Source], Field(max_length=32)] = []
    """Benchmarks: training rows that share a prompt, or 13 words of one, with one are dropped and counted."""
    max_invalid_fraction: Share = "0.01"
    """More invalid rows than this share is a data error: nothing is trained."""
    max_prompt_tokens: Annotated[int, Field(ge=16, le=1_048_576)] | None = None
    """Longer prompts are dropped and counted, never cut. Default: from the preset."""
    max_response_tokens: Annotated[int, Field(ge=1, le=1_048_576)] | None = None
    """Room for the judge's answer, reasoning included. Default: from the preset."""
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 1
    """Seed of every random choice: split, order, sampling."""


class Example(ApiModel):
    """A worked example in the prompt."""

    question: LongText
    """What was asked."""
    answers: Annotated[list[LongText], Field(min_length=1, max_length=2)]
    """One answer, or two for a pairwise prompt."""
    reasoning: LongText | None = None
    """Reasoning that leads to the verdict; shown where the prompt asks for reasoning."""
    verdict: Annotated[str, Field(min_length=1, max_length=8)]
    """The right verdict, as the judge shall write it: a score, or `A`, `B`, `tie`."""


class Template(ApiModel):
    """The prompt the judge reads and the tag it answers with."""

    name: Annotated[str, Field(pattern="^(pointwise|pairwise)$", max_length=32)] | None = None
    """Name of the prompt template; default: the method's."""
    task: ShortText | None = None
    """Task text at the top of the prompt; default: rate the source's label, or name the better answer."""
    rubrics: Annotated[list[ShortText], Field(max_length=32)] = []
    """Criteria listed below the task text, one line each."""
    examples: Annotated[list[Example], Field(max_length=16)] = []
    """Worked examples, shown before the question."""
    entry_point: EntryPoint | None = None
    """Own template, `package.module:Class`; it formats the prompt and reads the answer."""


class ExponentialReward(ApiModel):
    """Reward exp(-k * |prediction - label| / range of the scale)."""

    k: Annotated[Decimal, Field(pattern=r"^(0\.0*[1-9][0-9]*|[1-9][0-9]*(\.[0-9]+)?)$")] = "2"
    """Decay over the full scale, above 0."""


class LinearReward(ApiModel):
    """Reward 1 - |prediction - label| / range of the scale."""


class ExactReward(ApiModel):
    """Reward 1 for the very label, else 0."""


class SignedReward(ApiModel):
    """Reward 1 for the very label, else -1, as RM-R1 pays."""


class TiePolicy(StrEnum):
    """What a verdict earns where either it or the label is a tie, and they differ."""

    WRONG = "Wrong"
    HALF = "Half"


class PairwiseReward(ApiModel):
    """Reward of naming the better of two answers."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.strengthWeight) || !has(self.swapConsistencyWeight) || "
            "double(self.strengthWeight) + double(self.swapConsistencyWeight) <= 1.0",
            message="spec.reward.pairwise: strengthWeight and swapConsistencyWeight are at most 1 together",
            holds=lambda reward: float(reward.strength_weight) + float(reward.swap_consistency_weight) <= 1,
        ),
    )

    tie_policy: TiePolicy = TiePolicy.WRONG
    """`Wrong` = a tie is a verdict like the others; `Half` = half the reward if one of both is a tie."""
    strength_weight: Share = "0"
    """Share of the reward that grows with how clear the preference is: a clear pair pays it whole."""
    swap_consistency_weight: Share = "0"
    """Share of the reward that is paid only if the judge is right in both orders; above 0 each rollout judges
    the pair both ways round."""


class Reward(ApiModel):
    """How an answer is paid: exactly one kind. An answer that cannot be read earns the reward's minimum."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.reward needs exactly one of exponential, linear, exact, signed, pairwise and entryPoint",
            exponential="exponential",
            linear="linear",
            exact="exact",
            signed="signed",
            pairwise="pairwise",
            entry_point="entryPoint",
        ),
    )

    exponential: ExponentialReward | None = None
    """Falls off exponentially with the distance from the label."""
    linear: LinearReward | None = None
    """Falls off linearly with the distance from the label."""
    exact: ExactReward | None = None
    """1 for the very label, else 0."""
    signed: SignedReward | None = None
    """1 for the very label, else -1."""
    pairwise: PairwiseReward | None = None
    """For the method Pairwise: 1 for the better answer, with a policy for ties."""
    entry_point: EntryPoint | None = None
    """Own function `package.module:name` with verl's signature `compute_score(data_source, solution_str,
    ground_truth, extra_info=None)`; what it returns is the reward."""
    format_weight: Share = "0"
    """Share of the reward that is paid for a well-formed answer alone."""


class Plugins(ApiModel):
    """Python files with own datasets, templates and rewards, put on the path of every process."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "spec.plugins needs exactly one of configMapName and claimName",
            config_map_name="configMapName",
            claim_name="claimName",
        ),
        Rule(
            cel="has(self.claimName) || !has(self.path)",
            message="spec.plugins.path is a folder of spec.plugins.claimName, which is absent",
            holds=lambda plugins: plugins.claim_name is not None or plugins.path is None,
        ),
    )

    config_map_name: ObjectName | None = None
    """ConfigMap whose keys are Python files."""
    claim_name: ObjectName | None = None
    """Claim that holds Python files."""
    path: RelativePath | None = None
    """Folder of the claim; default: its top."""
