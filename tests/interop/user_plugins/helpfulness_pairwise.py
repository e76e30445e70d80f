"""What a user of RM-Gallery writes for pairs: its classes and functions, nothing of ours."""

import json
import re

from pydantic import Field
from rm_gallery.core.reward.template import BasePromptTemplate
from rm_gallery.core.train.dataset import BaseTrainDataset


class PairwiseComparisonTemplate(BasePromptTemplate):
    think: str = Field(default=..., description="your reasoning trace")
    preference: str = Field(default=..., description="A, B or tie")

    @classmethod
    def parse(cls, text: str):
        contents = cls._parse(text)
        contents.setdefault("think", "")
        preference = contents.get("preference", "").strip().upper()
        if preference in ("A", "RESPONSE A", "ANSWER A"):
            contents["preference"] = "A"
        elif preference in ("B", "RESPONSE B", "ANSWER B"):
            contents["preference"] = "B"
        elif preference in ("TIE", "EQUAL", "SAME"):
            contents["preference"] = "tie"
        elif preference:
            contents["preference"] = preference
        else:
            raise ValueError("no preference in the answer")
        return cls(**contents)

    @classmethod
    def format(cls, desc, rubrics, examples, query, answers, **kwargs):
        return f"""# Task Description
{desc}

# Rubrics
{rubrics}
# Query
{query}

# Response A
{answers[0]}

# Response B
{answers[1]}

# Output Requirement
{cls.schema(**kwargs)}
"""


class HelpfulnessPairwiseTrainDataset(BaseTrainDataset):
    def _parsed(self, example, name):
        value = example[name]
        return json.loads(value) if isinstance(value, str) else value

    def _build_messages(self, example):
        prompt = PairwiseComparisonTemplate.format(
            desc="Say which of two responses is better.",
            rubrics="",
            examples="",
            query=self._parsed(example, "input")[0]["content"],
            answers=[it["answer"]["content"] for it in self._parsed(example, "output")],
            enable_thinking=False,
        )
        return [{"role": "user", "content": prompt}]

    def _apply_chat_template(self, messages):
        return self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, enable_thinking=True
        )

    def _extract_ground_truth(self, row_dict):
        return self._parsed(row_dict, "metadata").get("preferred", "tie")

    def _get_data_source(self, row_dict):
        return row_dict.get("source") or "helpsteer2_pairwise"


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """As shipped: the label comes from extra_info, a missing one is a tie, the error path has other keys."""
    try:
        metadata = extra_info["metadata"]
        true_preference = metadata.get("preferred", "tie")
        strength = metadata.get("preference_strength", 0)
        found = re.search(r"<preference>(.*?)</preference>", solution_str, re.DOTALL)
        predicted = found.group(1).strip() if found else "unknown"
        accuracy = float(predicted == true_preference)
        return {
            "score": accuracy,
            "predicted_preference": predicted,
            "true_preference": true_preference,
            "preference_strength": strength,
            "accuracy": accuracy,
            "task_type": "pairwise",
            "data_source": data_source,
        }
    except Exception as error:  # noqa: BLE001
        return {"score": 0.0, "error": str(error), "accuracy": 0.0, "data_source": data_source}
