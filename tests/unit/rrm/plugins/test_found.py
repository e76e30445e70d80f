"""What `rrm check` takes for a reward, a template or a dataset in a file of the user."""

from collections.abc import Callable

import pytest

from rrm_api.run import ExitCode

Check = Callable[..., tuple[int, str]]
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    return 0.5
"""
CACHED = f"import functools\n@functools.cache{REWARD}"
OBJECT = """
class Paid:
    def __call__(self, data_source, solution_str, ground_truth, extra_info=None):
        return 0.5
judge = Paid()
"""
DATASET = """
class Rows:
    def _build_messages(self, example): ...
    def _format_template(self, messages, example): ...
"""
ABSTRACT = """
from abc import ABC, abstractmethod
class Base(ABC):
    def _build_messages(self, example): ...
    def _format_template(self, messages, example): ...
    @abstractmethod
    def _extract_ground_truth(self, row): ...
"""
CONCRETE = """
class Rows(Base):
    def _extract_ground_truth(self, row): ...
"""


def test_a_dataset_that_lacks_a_hook_is_told_which(check: Check) -> None:
    code, said = check(DATASET)
    assert (code, "it does not define _extract_ground_truth" in said) == (ExitCode.PLUGIN, True)


def test_a_base_class_is_tried_only_where_nothing_is_made_of_it(check: Check) -> None:
    code, said = check(ABSTRACT + CONCRETE)
    assert (code, "dataset Rows" in said, "dataset Base" in said) == (ExitCode.DONE, True, False)
    code, said = check(ABSTRACT)
    assert (code, "it does not define _extract_ground_truth" in said) == (ExitCode.PLUGIN, True)


@pytest.mark.parametrize("text", [CACHED, OBJECT], ids=["a cached function", "an object that can be called"])
def test_what_can_be_called_like_a_reward_is_one(check: Check, text: str) -> None:
    assert "plug-ins: 1, rows: 4" in check(text)[1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("first = __import__('operator').itemgetter(0)", id="without a signature"),
        pytest.param("limit = 3", id="nothing to call"),
        pytest.param(
            "class Odd:\n    __signature__ = 3\n    def __call__(self): ...\nodd = Odd()", id="a wrong one"
        ),
    ],
)
def test_what_does_not_look_like_a_plugin_is_passed_over(check: Check, text: str) -> None:
    code, said = check(f"{REWARD}\n{text}")
    assert (code, "plug-ins: 1" in said) == (ExitCode.DONE, True)


def test_a_file_that_no_entry_point_can_name_is_refused(check: Check) -> None:
    code, said = check(REWARD, name="my-judge.py")
    assert (code, "rename it, for example to my_judge.py" in said) == (ExitCode.PLUGIN, True)
