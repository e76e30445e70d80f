"""Their code and ours on the same rows, turn by turn: median CPU seconds per call of each.

CPU time of this process, not the clock's: the machine may be shared.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median, quantiles

import pyarrow as pa
import pyarrow.parquet as pq
from cookbooks.training_judge_model.grpo.pointwise.reward_fn import compute_score
from helpfulness_pointwise import HelpfulnessPointwiseTrainDataset
from loguru import logger
from omegaconf import OmegaConf
from rm_gallery.core.data.schema import DataSample as TheirSample
from rm_gallery.gallery.data.load.helpsteer2_pointwise import HelpSteer2PointwiseConverter
from transformers import AutoTokenizer

from rrm.datasets import data_sample, helpsteer2_pointwise
from rrm.datasets.exchange import full_record, write_samples
from rrm.plugins.reward_form import reward_call
from rrm.plugins.rewards import UserReward
from rrm.reasoning import RULES
from rrm.rewards import score_answer
from rrm.sample import DataSample
from rrm.scales import Scale
from rrm.templates.pointwise import PointwiseTemplate
from rrm.train.hooks.dataset import PreparedRows
from rrm_api.spec_data import ExponentialReward, Reward

logger.remove()
asked = json.loads(Path(sys.argv[1]).read_text())
rows, rounds, folder = asked["rows"], asked["rounds"], Path(asked["folder"])
scale = Scale(0, 4)


def seconds(call):
    """Return CPU seconds per row of one round over all rows."""
    start = time.process_time()
    for number in range(len(rows)):
        call(number)
    return (time.process_time() - start) / len(rows)


def turn_by_turn(theirs, ours):
    seconds(theirs), seconds(ours)
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(rounds)]
    low, _, high = quantiles([pair[0] / pair[1] for pair in pairs], n=4)
    return {
        "low": low,
        "high": high,
        "theirs": median(pair[0] for pair in pairs),
        "ours": median(pair[1] for pair in pairs),
        "ratio": median(pair[0] / pair[1] for pair in pairs),
    }


converter = HelpSteer2PointwiseConverter()
samples = [helpsteer2_pointwise.convert(row)[0] for row in rows]
lines = [json.dumps(full_record(sample), default=lambda value: value.isoformat()) for sample in samples]
write_samples(folder / "theirs.parquet", samples)
tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
config = OmegaConf.create({"max_prompt_length": 8192, "truncation": "right", "return_raw_chat": True})
their_rows = HelpfulnessPointwiseTrainDataset(str(folder / "theirs.parquet"), tokenizer, config)
texts = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
prepared = {
    "row_id": [sample.unique_id for sample in samples],
    "prompt_group": [sample.unique_id for sample in samples],
    "pair_id": pa.nulls(len(rows), pa.string()),
    "data_source": ["helpsteer2"] * len(rows),
    "messages": pa.array([their_rows[i]["raw_prompt"] for i in range(len(rows))], texts),
    "messages_swapped": pa.nulls(len(rows), texts),
    "sample": lines,
    **{name: [1.0] * len(rows) for name in ("label", "strength", "scale_low", "scale_high")},
}
pq.write_table(pa.table(prepared), folder / "train.parquet")
own = OmegaConf.create({"apply_chat_template_kwargs": {"enable_thinking": True}})
our_rows = PreparedRows([str(folder / "train.parquet")], tokenizer, own)
for number in range(len(rows)):
    assert their_rows[number]["raw_prompt_ids"] == our_rows[number]["raw_prompt_ids"]

template = PointwiseTemplate(label="helpfulness", scale=scale, reasoning=RULES["Native"])
paid = Reward(exponential=ExponentialReward())
user = UserReward("openjudge", reward_call(compute_score, name="openjudge"))
answers = [f"<think>{row['response']}</think><score>{row['verbosity']}</score>" for row in rows]
extras = [json.loads(line) for line in lines]


def their_score(number):
    return compute_score("helpsteer2", answers[number], str(rows[number]["helpfulness"]), extras[number])


def our_score(number):
    label = rows[number]["helpfulness"]
    return score_answer(answers[number], label, template=template, scale=scale, reward=paid)


def adapted_score(number):
    return user.score(
        answers[number],
        data_source="helpsteer2",
        ground_truth=str(rows[number]["helpfulness"]),
        extra_info=lines[number],
        label=rows[number]["helpfulness"],
        scale=scale,
        template=template,
    )


measured = {
    "raw row to sample": turn_by_turn(
        lambda i: converter.convert_to_data_sample(rows[i], {}),
        lambda i: helpsteer2_pointwise.convert(rows[i]),
    ),
    "JSON to sample": turn_by_turn(
        lambda i: TheirSample.model_validate_json(lines[i]),
        lambda i: DataSample.model_validate_json(lines[i]),
    ),
    "JSON to sample, every check": turn_by_turn(
        lambda i: TheirSample.model_validate_json(lines[i]),
        lambda i: data_sample.convert(json.loads(lines[i])),
    ),
    "item of a training dataset": turn_by_turn(lambda i: their_rows[i], lambda i: our_rows[i]),
    "answer to score": turn_by_turn(their_score, our_score),
    "their function, run by us": turn_by_turn(their_score, adapted_score),
}
Path(sys.argv[2]).write_text(json.dumps(measured))
