import json
import logging
import sys

from rrm_operator.logs import JsonLines, TextLines


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
