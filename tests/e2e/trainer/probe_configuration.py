"""Runs in an engine's environment: composes overrides as the child does; prints what verl says to each.

usage: probe_configuration.py ENGINE < {name: [override, ...]}; prints {name: "" or the refusal} as JSON.
"""

import json
import sys

from rrm.train.child import compose
from rrm.train.engine import Engine
from rrm.train.errors import TrainingRefused

said = {}
for name, overrides in json.load(sys.stdin).items():
    try:
        compose(overrides, Engine(sys.argv[1]))
    except TrainingRefused as refused:
        said[name] = str(refused)
    else:
        said[name] = ""
sys.stdout.write("SAID " + json.dumps(said) + "\n")
