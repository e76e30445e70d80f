"""A workshop where rows are prepared and read back, and a hub-shaped server on this machine."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from rrm.data.parts import Progress
from rrm.data.prepare import prepare
from rrm_api.run import Intent, Layout, Prepared

Row = dict[str, Any]
SAMPLES = Path(__file__).parents[3] / "data/helpsteer2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL_COMMIT = "fedcba9876543210fedcba9876543210fedcba98"
CONFIGURED = """---
configs:
- config_name: default
  data_files: [{split: train, path: "a/*"}]
---
"""


@dataclass
class Workshop:
    """A claims folder with the demo's model and a claim `c` for rows, and a volume."""

    folder: Path
    make_intent: Callable[..., Intent]
    told: list[Progress] = field(default_factory=list)

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    @property
    def data(self) -> Path:
        return self.volume / "tiny-judge/data"

    def write(self, name: str, rows: Sequence[object]) -> str:
        """Write rows as JSON lines; return their URI."""
        path = self.folder / "claims/c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return f"pvc://c/{name}"

    def prepare(self, **changes: object) -> Prepared:
        intent = self.make_intent(**{"training": {"maxSteps": 2, "batchSize": 2}, **changes})
        layout = Layout(self.volume, intent.name)
        return prepare(intent, layout=layout, claims=self.folder / "claims", on_progress=self.told.append)

    def pairwise(self, *sources: Row, data: Row | None = None, pairwise: Row | None = None) -> Prepared:
        """Prepare pairs; a fifth of the prompts is validation unless `data` says otherwise."""
        whole = {"train": list(sources), "validation": {"fraction": "0.2"}} | (data or {})
        return self.prepare(method="Pairwise", data=whole, template={}, reward={"pairwise": pairwise or {}})

    def rows(self, part: str) -> list[Row]:
        rows: list[Row] = pq.read_table(self.data / f"{part}.parquet").to_pylist()
        return rows

    @property
    def report(self) -> Row:
        report: Row = json.loads((self.data / "data.json").read_text())
        return report

    @property
    def contents(self) -> dict[str, bytes]:
        files = sorted(file for file in self.volume.rglob("*") if file.is_file())
        return {str(file.relative_to(self.volume)): file.read_bytes() for file in files}


@pytest.fixture
def new_workshop(
    tmp_path_factory: pytest.TempPathFactory, demo_claims: Path, make_intent: Callable[..., Intent]
) -> Callable[[], Workshop]:
    """Return a maker of workshops: two of them compare two runs."""

    def make() -> Workshop:
        folder = tmp_path_factory.mktemp("workshop")
        (folder / "claims/c").mkdir(parents=True)
        (folder / "claims/demo").symlink_to(demo_claims / "demo")
        return Workshop(folder, make_intent)

    return make


@pytest.fixture
def workshop(new_workshop: Callable[[], Workshop]) -> Workshop:
    """A workshop for one run."""
    return new_workshop()


class LocalHub(ThreadingHTTPServer):
    """Answers what the hub's client asks for: repository info and files of one commit each."""

    def __init__(self, repos: dict[str, tuple[str, dict[str, bytes]]]) -> None:
        """Serve `repos`: path such as `datasets/org/name` or `models/org/name` to commit and files."""
        self.repos = repos
        self.newer: dict[str, tuple[str, dict[str, bytes]]] = {}
        self.tokens: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), LocalHubHandler)


class LocalHubHandler(BaseHTTPRequestHandler):
    server: LocalHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers.get("Authorization"))
        path = self.path.split("?")[0].strip("/")
        if "/tree/" in path:
            self.tree(path.removeprefix("api/"))
        elif path.startswith("api/"):
            self.info(path.removeprefix("api/"))
        else:
            self.file(path)

    do_HEAD = do_GET  # noqa: N815 - the name http.server calls

    def info(self, path: str) -> None:
        repo, _, revision = path.partition("/revision/")
        if repo not in self.server.repos:
            self.answer(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return
        commit, files = self.server.repos[repo]
        if repo in self.server.newer and revision in ("", "main", self.server.newer[repo][0]):
            commit, files = self.server.newer[repo]
        if revision not in ("", "main", "v1", commit):
            self.answer(404, b'{"error": "Invalid rev"}', {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [{"rfilename": name} for name in files]
        name = repo.split("/", 1)[1]
        document = {"id": name, "sha": commit, "siblings": siblings, "private": False, "tags": []}
        self.answer(200, json.dumps(document).encode())

    def tree(self, path: str) -> None:
        repo, _, rest = path.partition("/tree/")
        folder = rest.partition("/")[2]
        _, files = self.server.repos.get(repo, ("", {}))
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": "0"}
            for name, content in files.items()
            if name.rpartition("/")[0] == folder
        ]
        if entries:
            self.answer(200, json.dumps(entries).encode())
        else:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def file(self, path: str) -> None:
        repo, _, rest = path.partition("/resolve/")
        repo = repo if repo.startswith("datasets/") else f"models/{repo}"
        revision, _, name = rest.partition("/")
        commit, files = self.server.repos.get(repo, ("", {}))
        if repo in self.server.newer and revision == self.server.newer[repo][0]:
            commit, files = self.server.newer[repo]
        if name not in files:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
            return
        etag = sha256(files[name]).hexdigest()[:40]
        self.answer(200, files[name], {"ETag": f'"{etag}"', "X-Repo-Commit": commit})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def hub(demo_claims: Path) -> Iterator[LocalHub]:
    packed = {name: gzip.compress((SAMPLES / f"{name}.jsonl").read_bytes()) for name in ("train", "eval")}
    dataset = {
        "README.md": b"---\n---\n",
        "train.jsonl.gz": packed["train"],
        "validation.jsonl.gz": packed["eval"],
        "preference/preference.jsonl.gz": b"not read",
    }
    configured = {"README.md": CONFIGURED.encode(), "a/x.jsonl": b"{}\n", "b/train.jsonl": b"{}\n"}
    model = {file.name: file.read_bytes() for file in (demo_claims / "demo/model").iterdir()}
    server = LocalHub(
        {
            "datasets/nvidia/HelpSteer2": (COMMIT, dataset),
            "datasets/org/configured": (COMMIT, configured),
            "models/some/tiny": (MODEL_COMMIT, model),
        }
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def local_hub(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point this process's hub client at the server; elsewhere HF_ENDPOINT does it, read once at import."""
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))


@pytest.fixture
def local_files(local_hub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its files come from there too."""
    template = constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
