"""Log lines: their fields, and that they show no secret."""

import json
import logging
import sys
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from rrm_operator.api_server import Answer, Request, error_of
from rrm_operator.facts import Key
from rrm_operator.logs import MASKED, NAME, JsonLines, Masks, TextLines


def record(**fields: object) -> logging.LogRecord:
    made = logging.LogRecord("rrm", logging.INFO, "f.py", 1, "stage of %s", ("judge",), None)
    vars(made).update(fields)
    return made


def test_a_json_line_holds_message_and_fields() -> None:
    line = json.loads(JsonLines().format(record(training="demo/judge", stage="Training")))
    assert line["message"] == "stage of judge"
    assert (line["training"], line["stage"], line["level"]) == ("demo/judge", "Training", "INFO")


def test_a_traceback_is_part_of_its_line() -> None:
    try:
        raise ValueError("bug")
    except ValueError:
        made = record(exc_info=sys.exc_info())
    line = JsonLines().format(made)
    assert "\n" not in line
    assert "ValueError: bug" in json.loads(line)["traceback"]


def test_a_text_line_ends_with_its_fields() -> None:
    assert TextLines().format(record(stage="Training")).endswith("INFO    stage of judge stage=Training")


KEY = Key("demo", "judge")
TRAINING: dict[str, Any] = {
    "metadata": {"namespace": "demo", "name": "judge", "uid": "u", "generation": 1},
    "spec": {
        "env": [{"name": "ENDPOINT", "value": "https://user:pa55@proxy"}, {"name": "N", "value": "1"}],
        "head": {"template": {"spec": {"containers": [{"env": [{"name": "X", "value": 'quo"ted value'}]}]}}},
    },
}
ECHO = (
    'Job.batch "judge-prepare" is invalid: spec.template.spec.containers[0].env[0]: Invalid value: '
    '"https://user:pa55@proxy": must be nice; env[1]: Invalid value: {"name":"X","value":"quo\\"ted value"}'
)


@pytest.fixture
def masks() -> Masks:
    made = Masks()
    made.keep(KEY, TRAINING)
    return made


def lines(masks: Masks, made: logging.LogRecord) -> list[str]:
    return [JsonLines(masks).format(made), TextLines(masks).format(made)]


def test_an_answer_that_echoes_environment_values_is_logged_without_them(masks: Masks) -> None:
    error = error_of(Request("POST", "/apis/batch/v1/jobs"), Answer(422, json.dumps({"message": ECHO})))
    for line in lines(
        masks, record(msg="%s", args=(error,), error=ECHO, body={"value": "https://user:pa55@proxy"})
    ):
        assert "pa55" not in line
        assert "ted value" not in line
        assert "judge-prepare" in line
        assert "must be nice" in line


def test_a_traceback_is_masked_too(masks: Masks) -> None:
    try:
        raise ValueError("https://user:pa55@proxy")
    except ValueError:
        made = record(exc_info=sys.exc_info())
    assert not [line for line in lines(masks, made) if "pa55" in line]


@pytest.mark.parametrize(
    "text",
    [
        "headers=<CIMultiDictProxy('Host': 'h', 'Authorization': 'Bearer abcdefghijkl.mnop', 'Accept': '*')>",
        '{"Authorization": "Basic abcdefghijklmnop=="}',
        "X-Ray-Authorization: Bearer abcdefghijklmnop",
        "sent Bearer abcdefghijklmnop to",
        "HF token hf_abcdefghijklmnopqrst",
        "token eyJabcdefghijkl.eyJabcdefghijkl.abcdefgh",
    ],
)
def test_no_credential_is_logged_wherever_it_comes_from(text: str) -> None:
    for line in lines(Masks(), record(msg=text, args=(), detail=text)):
        assert "abcdefgh" not in line
        assert MASKED in line


def test_the_real_error_of_the_http_client_shows_no_header(masks: Masks) -> None:
    headers = CIMultiDictProxy(CIMultiDict({"Authorization": "Bearer abcdefghijklmnop"}))
    url = URL("https://10.0.0.1/api")
    error = aiohttp.ContentTypeError(aiohttp.RequestInfo(url, "GET", headers, url), (), message="HTML")
    assert "abcdefghijklmnop" in repr(error), "otherwise there is nothing to test"
    for line in lines(masks, record(msg="%r", args=(error,), error=repr(error))):
        assert "abcdefgh" not in line


def test_short_values_and_plain_words_stay_readable(masks: Masks) -> None:
    made = record(msg="step 1 of 11, authorized by nobody", args=(), attempt=1)
    assert "step 1 of 11, authorized by nobody" in lines(masks, made)[0]


def test_an_edited_spec_is_masked_anew_and_one_that_is_gone_is_forgotten(masks: Masks) -> None:
    metadata = {**TRAINING["metadata"], "generation": 2}
    masks.keep(KEY, {"metadata": metadata, "spec": {"env": [{"name": "A", "value": "a new value"}]}})
    assert masks.masked("a new value, pa55 is history") == "***, pa55 is history"
    masks.forget(KEY)
    assert masks.masked("a new value") == "a new value"


def test_a_value_that_begins_as_one_of_another_training_is_masked_whole(masks: Masks) -> None:
    for name, value in {"a": "bucket-one", "b": "bucket-one/and-more"}.items():
        metadata = {"uid": name, "generation": 1}
        masks.keep(
            Key("demo", name), {"metadata": metadata, "spec": {"env": [{"name": "A", "value": value}]}}
        )
    assert masks.masked("reads bucket-one/and-more") == f"reads {MASKED}"


def test_values_are_found_however_deep_they_lie(masks: Masks) -> None:
    deep: Any = {"env": [{"name": "X", "value": "a deep value"}]}
    for _ in range(10_000):
        deep = {"inner": [deep]}
    masks.keep(Key("demo", "deep"), {**TRAINING, "spec": deep})
    assert masks.masked("it is a deep value") == f"it is {MASKED}"


def test_the_name_of_a_training_is_a_field_of_its_own(masks: Masks) -> None:
    line = json.loads(JsonLines(masks).format(record(**{NAME: "judge", "namespace": "demo"})))
    assert (line["namespace"], line["name"]) == ("demo", "judge")
