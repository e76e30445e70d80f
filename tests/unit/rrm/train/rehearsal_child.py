"""Plays the heavy child: `rehearsal_child.py ROLE ATTEMPT_FOLDER STOP_MARK`. Standard library only."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

role, folder, stop_mark = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def say(text: str) -> None:
    print(text, flush=True)


def end(reason: str, code: int) -> None:
    ending = {"reason": reason, "message": f"{role} ended", "exit_code": code}
    (folder / "ending.json").write_text(json.dumps(ending))
    sys.exit(code)


def beat(phase: str, step: int) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    (folder / "heartbeat.json").write_text(json.dumps({"phase": phase, "step": step, "time": now}))


def patiently(until: float = 30.0) -> None:
    deadline = time.monotonic() + until
    while time.monotonic() < deadline:
        time.sleep(0.05)


if role == "deaf":
    # Before its first sign of life, which is what the test answers with a signal.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
say(f"{role} begins with key {os.environ.get('WANDB_API_KEY')} and hf_AbCdEf012345")
beat("Rollout", 7)
if role == "done":
    end("Succeeded", 0)
elif role == "crash":
    raise RuntimeError("the child broke")
elif role == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif role == "plugin":
    end("TrainingFailed", 13)
elif role == "stops":
    while not stop_mark.exists():
        time.sleep(0.05)
    end("CheckpointSaved", 30)
elif role == "leaves-a-grandchild":
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "grandchild").write_text(str(grandchild.pid))
    end("Succeeded", 0)
elif role in ("deaf", "waits"):
    patiently()
