"""Entry points: found, or refused with the user's own line; whatever a plug-in raises is a value."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import rrm
from rrm.errors import PluginFailed
from rrm.plugins import load_entry_point
from rrm.plugins.contained import Raised, contained
from rrm_api.run import ExitCode

WriteModule = Callable[..., str]


def refusal(entry_point: str) -> PluginFailed:
    with pytest.raises(PluginFailed) as refused:
        load_entry_point(entry_point, field="spec.reward.entryPoint")
    assert refused.value.exit_code is ExitCode.PLUGIN
    assert str(refused.value).startswith(f"spec.reward.entryPoint {entry_point}")
    return refused.value


def test_what_an_entry_point_names_is_returned(write_module: WriteModule) -> None:
    name = write_module("def f(): return 7")
    assert load_entry_point(f"{name}:f", field="f")() == 7


def test_a_file_that_was_written_after_the_folder_was_searched_is_found(write_module: WriteModule) -> None:
    write_module("x = 1", name="early_of_the_user")
    refusal("late_of_the_user:x")
    write_module("x = 2", name="late_of_the_user")
    assert load_entry_point("late_of_the_user:x", field="f") == 2


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("import math\nmath.no_such_thing\n", "AttributeError: module 'math' has no attribute", 2),
        ("def f(:\n", "SyntaxError", 1),
        ("import json\n\njson.loads('{')\n", "JSONDecodeError", 3),
        ("import no_such_package_anywhere\n", "No module named 'no_such_package_anywhere'", 1),
        ("1 / 0\n", "ZeroDivisionError: division by zero", 1),
        ("import sys\nsys.exit(3)\n", "it called exit(3)", 2),
        ("raise RuntimeError('a\\nb')\n", "RuntimeError: a", 1),
    ],
)
def test_an_import_that_raises_names_what_and_the_users_own_line(
    write_module: WriteModule, text: str, says: str, line: int
) -> None:
    name = write_module(text)
    message = str(refusal(f"{name}:f"))
    assert says in message
    assert f"{name}.py:{line}" in message
    assert "\n" not in message


def test_a_name_that_is_not_there_is_answered_with_those_that_are(write_module: WriteModule) -> None:
    name = write_module("import json\ndef compute(): ...\ndef _own(): ...\n")
    message = str(refusal(f"{name}:compute_score"))
    assert "has no compute_score" in message
    assert "it has compute;" in message


def test_a_module_that_is_not_there_has_no_place() -> None:
    assert "No module named 'nowhere_of_the_user'" in str(refusal("nowhere_of_the_user:f"))


def test_the_wish_to_stop_passes_through() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        contained(interrupt)


def test_a_message_of_any_length_stays_one_short_line() -> None:
    def shout() -> None:
        raise ValueError("x" * 10_000)

    raised = contained(shout)
    assert isinstance(raised, Raised)
    assert len(raised.said) == 500


def test_only_a_library_in_the_trace_means_no_place() -> None:
    raised = contained(partial(int, "x"))
    assert raised == Raised("ValueError: invalid literal for int() with base 10: 'x'", "")
    assert str(raised) == raised.said


def test_a_folder_whose_name_only_begins_like_ours_is_the_users() -> None:
    ours = Path(rrm.__file__).parent
    beside = compile("1 / 0", f"{ours}_judges/own.py", "exec")
    raised = contained(lambda: exec(beside))
    assert isinstance(raised, Raised)
    assert raised.where == f"{ours}_judges/own.py:1"
