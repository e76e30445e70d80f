"""What a user of RM-Gallery writes for pointwise helpfulness: its classes and functions, nothing of ours."""

import json
import math
import re

from pydantic import Field
from rm_gallery.core.data.schema import DataSample
from rm_gallery.core.reward.base import BasePointWiseRubricReward
from rm_gallery.core.reward.template import BasePromptTemplate
from rm_gallery.core.train.dataset import BaseTrainDataset

DESC = "Please act as an unbiased judge and rate the helpfulness of the answer from 0 to 4."
RUBRICS = [
    "Efficient Task Execution: it does what was asked, without detours.",
    "Inquiring for Missing Information: it asks where the request cannot be answered as it stands.",
    "Redirecting Misguided Requests: it says so where the request itself is the problem.",
]
EXAMPLES = ["Query: 2 + 2?\nAnswer: 4\n<score>4</score>", "Query: Hi\nAnswer: Hello!\n<score>3</score>"]


class PointwiseTrainTemplate(BasePromptTemplate):
    score: int = Field(default=..., description="helpfulness score from 0 to 4")

    @classmethod
    def parse(cls, text: str):
        contents = cls._parse(text)
        try:
            contents["score"] = int(contents["score"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"no score in the answer: {error}") from error
        contents.setdefault("think", "")
        return cls(**contents)

    @classmethod
    def format(cls, desc, rubrics, examples, query, context, answer, **kwargs):
        if examples:
            examples = f"# Examples\n{examples}\n"
        if context:
            context = f"\n# Context\n{context}\n"
        return f"""# Task Description
{desc}

# Rubrics
{rubrics}
{examples}
# Query
{query}
{context}
# Answer
{answer}

# Output Requirement
{cls.schema(**kwargs)}
"""


class HelpfulnessPointwiseTrainDataset(BaseTrainDataset):
    def __init__(self, *args, **kwargs):
        self.helpfulness_reward = BasePointWiseRubricReward(
            name="helpfulness_pointwise",
            desc=DESC,
            rubrics=RUBRICS,
            examples=EXAMPLES,
            template=PointwiseTrainTemplate,
            llm=None,
        )
        super().__init__(*args, **kwargs)

    def _sample(self, example):
        sample = dict(example)
        for name in ("input", "output", "metadata"):
            if isinstance(sample.get(name), str):
                sample[name] = json.loads(sample[name])
        return DataSample.model_validate(sample)

    def _build_messages(self, example):
        result = self.helpfulness_reward.format(sample=self._sample(example), enable_thinking=False)
        kwargs = result.output[0].answer.additional_kwargs["helpfulness_pointwise"]
        return [{"role": "user", "content": kwargs["prompt"]}]

    def _apply_chat_template(self, messages):
        return self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, enable_thinking=True
        )

    def _extract_ground_truth(self, row_dict):
        label = self._sample(row_dict).output[0].answer.label
        return str(label.get("helpfulness", 0))

    def _get_data_source(self, row_dict):
        return row_dict.get("data_source") or "helpsteer2"


class CustomTrainDataset(BaseTrainDataset):
    """The class of the guide as it is printed: one of the four methods."""

    def _build_messages(self, example):
        return [{"role": "user", "content": str(example)}]


def calculate_helpfulness_reward(predicted_score, true_score):
    if true_score is None:
        return 0.0
    return float(math.exp(-2.0 * abs(predicted_score - true_score) / 4))


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """As shipped: what cannot be read, or lies off the scale, counts as 0."""
    try:
        predicted = PointwiseTrainTemplate.parse(solution_str).score
    except Exception:  # noqa: BLE001
        predicted = None
    if predicted is not None and not 0 <= predicted <= 4:
        predicted = 0
    if isinstance(ground_truth, str) and ground_truth.isdigit():
        true_score = int(ground_truth)
    else:
        true_score = extra_info["output"][0]["answer"]["label"]["helpfulness"]
    reward = 0.0 if predicted is None else calculate_helpfulness_reward(predicted, true_score)
    return {
        "score": reward,
        "predicted_helpfulness": -1 if predicted is None else predicted,
        "true_helpfulness": true_score,
        "data_source": data_source,
        "accuracy": float(predicted == true_score),
    }


def compute_score_batch(data_sources, solution_strs, ground_truths, extra_infos, **kwargs):
    return [
        compute_score(*values)["score"]
        for values in zip(data_sources, solution_strs, ground_truths, extra_infos)  # noqa: B905
    ]


async def compute_score_async(data_source, solution_str, ground_truth, extra_info=None):
    return compute_score(data_source, solution_str, ground_truth, extra_info)


def linear_of_the_guide(data_source, solution_str, ground_truth, extra_info=None):
    found = re.findall(r"<score>\s*(\d+)\s*</score>", solution_str)
    abs_error = abs(int(found[-1]) - float(ground_truth))  # raises without a tag
    return max(0.0, 1.0 - abs_error / 4)
