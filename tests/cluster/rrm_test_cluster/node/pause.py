"""The image every pod's sandbox runs, made here: one static program, one layer, no registry."""

import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path

from rrm_test_cluster.node.shell import run
from rrm_test_cluster.user_cache import exclusive, user_cache

PAUSE_IMAGE = "localhost/rrm-pause:local"
_SOURCE = Path(__file__).with_name("pause.c")


def pause_archive() -> Path:
    """Return the docker-archive of the pause image, made once per user."""
    key = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    archive = user_cache() / "images" / f"pause-{key}.tar"
    with exclusive(archive.parent):
        if not archive.exists():
            with tempfile.TemporaryDirectory() as folder:
                program = Path(folder) / "pause"
                run("gcc", "-static", "-O2", "-s", "-o", str(program), str(_SOURCE))
                content = image_archive(program.read_bytes())
            partial = archive.with_suffix(".partial")
            partial.write_bytes(content)
            partial.rename(archive)
    return archive


def image_archive(program: bytes) -> bytes:
    """Return a docker-archive whose image consists of one program and runs it."""
    layer = _tar({"pause": (program, 0o755)})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    files = {"config.json": config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
    return _tar({name: (content, 0o644) for name, content in files.items()})


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
