"""`rrm check`: what it finds in a file, and every way a plug-in can break its contract, in plain words."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rrm.cli import main
from rrm_api.run import ExitCode

Check = Callable[..., tuple[int, str]]
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    return {{"score": {score}, "n": 1}}
"""


def test_a_good_reward_has_nothing_to_object_to(check: Check) -> None:
    score = "float(f'<score>{ground_truth}</score>' in solution_str)"
    code, said = check(REWARD.format(score=score))
    assert code == ExitCode.DONE
    assert "reward compute_score: 20 calls" in said
    assert "score 1, n 1" in said
    assert "plug-ins: 1, rows: 4; nothing to object to" in said


def test_pairs_are_judged_by_letter(check: Check) -> None:
    score = "float(f'<better>{ground_truth}</better>' in solution_str)"
    code, said = check(REWARD.format(score=score), "--pairwise")
    assert code == ExitCode.DONE
    assert "label -1, '<think>Compared.</think><better>A</better>" in said


@pytest.mark.parametrize(
    ("score", "says"),
    [
        ("1 / 0", "broken ZeroDivisionError: division by zero"),
        ("float('nan')", "broken ValueError: score is nan, expected a finite number"),
        ("'high'", "broken TypeError: score is 'high', expected a finite number"),
        ("__import__('random').random()", "could not be compared with one that was not interrupted"),
    ],
)
def test_a_reward_that_breaks_its_contract_ends_with_exit_code_13(
    check: Check, score: str, says: str
) -> None:
    code, said = check(REWARD.format(score=score))
    assert code == ExitCode.PLUGIN
    assert says in said


def test_a_reward_that_pays_for_nothing_is_noted_but_allowed(check: Check) -> None:
    code, said = check(REWARD.format(score="1.0"))
    assert code == ExitCode.DONE
    assert "the empty answer earns no less than the right one" in said
    assert "the wrong answer earns no less than the right one" in said
    assert "First seen for label 4: 1 and 1" in said
    assert "it would run; worth a second look: 4" in said


def test_a_slow_reward_is_noted(check: Check) -> None:
    code, said = check(REWARD.format(score="__import__('time').sleep(0.11) or 0.0"))
    assert code == ExitCode.DONE
    assert "a call takes 0.11 s" in said


TEMPLATE = """
from rrm.templates.verdict import FailureKind, ParseFailure, Verdict
class Mine:
    def __init__(self, scale): self.scale = scale
    def format(self, sample):
        {format}
    def parse(self, text, is_cut=False):
        {parse}
"""
FORMAT = "return [{'role': 'user', 'content': sample.output[0].answer.content}]"
PARSE = "return Verdict(int(text[-9])) if text.endswith('</score>') else ParseFailure(FailureKind.MISSING)"


def test_a_good_template_has_nothing_to_object_to(check: Check) -> None:
    code, said = check(TEMPLATE.format(format=FORMAT, parse=PARSE))
    assert code == ExitCode.DONE
    assert "template Mine" in said
    assert "verdict 4" in said
    assert "not readable: missing" in said


@pytest.mark.parametrize(
    ("form", "parse", "says"),
    [
        ("return sample.nothing", PARSE, "format raised AttributeError"),
        ("return 'text'", PARSE, "expected a list of messages with role and content, found 'text'"),
        ("return [{'role': 'user'}]", PARSE, "found {'role': 'user'}"),
        (FORMAT, "return int(text)", "parse raised ValueError"),
        (FORMAT, "return 3", "parse: expected Verdict or ParseFailure, found int"),
        (FORMAT, "return Verdict(9)", "the verdict 9 is off the scale"),
        (FORMAT, "return Verdict(2)", "reads the verdict 2 out of an answer that has none"),
    ],
)
def test_a_template_that_breaks_its_contract_ends_with_exit_code_13(
    check: Check, form: str, parse: str, says: str
) -> None:
    code, said = check(TEMPLATE.format(format=form, parse=parse))
    assert code == ExitCode.PLUGIN
    assert says in said


def test_a_template_that_shows_another_text_or_reads_another_tag_is_noted(check: Check) -> None:
    form, parse = "return [{'role': 'user', 'content': '?'}]", "return ParseFailure(FailureKind.MISSING)"
    code, said = check(TEMPLATE.format(format=form, parse=parse))
    assert code == ExitCode.DONE
    assert "does not contain the answer that it asks about" in said
    assert "is another tag asked for?" in said


def test_a_template_whose_constructor_raises_is_broken(check: Check) -> None:
    text = TEMPLATE.format(format=FORMAT, parse=PARSE).replace("self.scale = scale", "raise ValueError('no')")
    code, said = check(text)
    assert code == ExitCode.PLUGIN
    assert "it raised ValueError: no" in said


UPSTREAM = """
from pydantic import BaseModel
class BasePromptTemplate(BaseModel):
    score: int
    @classmethod
    def format(cls, answer, **kwargs): return answer
    @classmethod
    def parse(cls, text): return cls(score=int(text.split('<score>')[1].split('<')[0]))
class Mine(BasePromptTemplate): ...
"""


def test_a_template_of_rm_gallerys_kind_is_adapted(check: Check) -> None:
    code, said = check(UPSTREAM, "--template", "Mine")
    assert (code, "nothing to object to" in said) == (ExitCode.DONE, True)


CONVERTER = """
def convert(row):
    {body}
"""
MADE = (
    "return {'unique_id': '1', 'input': [{'content': row['prompt']}], "
    "'output': [{'answer': {'content': row['response'], 'label': {'helpfulness': row['helpfulness']}}}]}"
)


def test_a_good_converter_has_nothing_to_object_to(check: Check) -> None:
    code, said = check(CONVERTER.format(body=MADE))
    assert code == ExitCode.DONE
    assert "1 sample(s): 1 message(s), 1 answer(s), labels {'helpfulness': 4}" in said


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return row['question']", "found KeyError: 'question'"),
        ("return None", "the row would be dropped and counted; first in row 1 plug-ins: 1"),
        (MADE.replace("'helpfulness':", "'h':"), "the row would be dropped and counted"),
        (MADE.replace("row['helpfulness']", "7"), "the row would be dropped and counted"),
    ],
)
def test_a_converter_that_loses_rows_ends_with_exit_code_13(check: Check, body: str, says: str) -> None:
    code, said = check(CONVERTER.format(body=body))
    assert code == ExitCode.PLUGIN
    assert says in said


def test_a_converter_that_cannot_be_made_is_told_once_and_is_no_matter_of_rows(check: Check) -> None:
    made = "class Rows:\n def __init__(self, more): ...\n def convert_to_data_sample(self, row): ..."
    code, said = check(made)
    assert (code, "a converter is made without arguments" in said) == (ExitCode.PLUGIN, True)
    assert "violations of the contract: 1" in said
    assert "dropped" not in said


def test_a_row_that_is_left_out_on_purpose_is_no_fault(check: Check) -> None:
    code, said = check(CONVERTER.format(body="return []"))
    assert (code, "left out" in said) == (ExitCode.DONE, True)


def test_own_rows_are_read_with_their_format_or_the_files_own(check: Check, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    own = {"question": "q", "reply": "r", "stars": 3}
    rows.write_text(json.dumps(own) + "\n")
    body = (
        "return {'unique_id': '1', 'input': [{'content': row['question']}], 'output': "
        "[{'answer': {'content': row['reply'], 'label': {'stars': row['stars']}}}]}"
    )
    code, said = check(
        CONVERTER.format(body=body), "--rows", str(rows), "--format", "custom", "--label", "stars"
    )
    assert code == ExitCode.DONE
    assert "plug-ins: 1, rows: 1;" in said
    code, said = check(REWARD.format(score="0"), "--rows", str(rows))
    assert code == ExitCode.DATA
    assert "row 1: expected rows of the format helpsteer2_pointwise" in said


DATASET = """
class Rows:
    def _build_messages(self, example): ...
    def _format_template(self, messages, example): ...
    def _extract_ground_truth(self, row): ...
"""


def test_of_a_training_dataset_only_the_hooks_are_looked_at(check: Check) -> None:
    code, said = check(DATASET)
    assert code == ExitCode.DONE
    assert "here only its hooks were looked at" in said
    abstract = DATASET.replace("class Rows:", "class Rows:\n    __abstractmethods__ = frozenset({'_x'})")
    code, said = check(abstract)
    assert (code, "it does not define _x" in said) == (ExitCode.PLUGIN, True)


@pytest.mark.parametrize(
    ("text", "options", "code", "says"),
    [
        ("x = 1", (), 13, "nothing looks like a plug-in"),
        ("x = 1", ("--reward", "f"), 13, "--reward f: the module"),
        ("x = 1", ("--reward", "x"), 13, "expected a function, found int"),
        ("x = 1", ("--template", "x"), 13, "expected a class with format and parse"),
        ("1 / 0", (), 13, "ZeroDivisionError"),
        ("def compute_score(answer): ...", (), 13, "expected the parameters data_source"),
        ("def convert(row): ...", ("--format", "csv"), 11, "--format: expected one of"),
        (REWARD.format(score=1), ("--format", "custom"), 11, "the file has no converter"),
        (REWARD.format(score=1), ("--rows", "nowhere.jsonl"), 10, "expected a file that ends in"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_plain_words(
    check: Check, text: str, options: tuple[str, ...], code: int, says: str
) -> None:
    found, said = check(text, *options)
    assert found == code
    assert says in said


def test_a_file_that_is_none_or_has_the_name_of_a_module_is_refused(check: Check, tmp_path: Path) -> None:
    assert main(["check", str(tmp_path / "nothing.py")]) == ExitCode.PLUGIN
    assert main(["check", str(tmp_path)]) == ExitCode.PLUGIN
    code, said = check("x = 1", name="json.py")
    assert (code, "rename it, for example to own_json.py" in said) == (ExitCode.PLUGIN, True)


def test_checking_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "own_reward.py").write_text(REWARD.format(score="0.5"))
    heavy = "{'torch', 'verl', 'ray', 'vllm', 'transformers', 'datasets'}"
    program = (
        f"import sys; from rrm.cli import main; main(['check', r'{tmp_path / 'own_reward.py'}']); "
        f"found = {heavy} & set(sys.modules); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
