"""What the README shows is what is there: the training, the two commands, the list of all of them."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def test_the_training_in_the_readme_is_the_shortest_example_and_has_12_lines() -> None:
    (shown,) = blocks("yaml")
    example = (ROOT / "crds/examples/pointwise.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(shown) == yaml.safe_load(example)
    assert len(shown.splitlines()) <= 12


def test_ci_runs_the_readmes_test_command_and_nothing_else() -> None:
    commands = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and line[0] != "#"]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]
    assert any(line.startswith("make test ") for block in blocks() for line in block.splitlines())


def test_bare_make_lists_every_command_of_a_person_with_what_it_does() -> None:
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0
    phony = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = dict(re.findall(r"^  make (\S+) +(\S.*)$", listed.stdout, flags=re.MULTILINE))
    assert told.keys() == phony


def test_every_make_command_in_the_documents_exists() -> None:
    phony = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    documents = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "tests/cluster/README.md"]
    named = {
        word
        for document in documents
        for words in re.findall(r"(?:^|`)make ((?:[a-z-]+ ?)+)", document.read_text(), flags=re.MULTILINE)
        for word in words.split()
    }
    assert named <= phony, "the words after make, in code"


def test_the_readme_leads_to_every_guide() -> None:
    guides = {f"docs/guides/{path.name}" for path in (ROOT / "docs/guides").glob("*.md")}
    assert guides <= set(re.findall(r"\]\(([^)#]+)\)", README))


def test_the_map_names_every_folder_of_end_to_end_tests() -> None:
    told = re.search(r"e2e \(([^)]*)\)", README)
    assert told is not None
    folders = {path.parent.relative_to(ROOT / "tests/e2e").parts[0] for path in ROOT.glob("tests/e2e/*/*.py")}
    assert sorted(re.split(r",\s+", told[1])) == sorted(folders)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", it.lower()).replace(" ", "-") for it in headings}


def documents() -> list[Path]:
    return [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "crds/reference.md",
        ROOT / "tests/cluster/README.md",
    ]


@pytest.mark.parametrize("document", documents(), ids=lambda it: str(it.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text(encoding="utf-8"))
    for path, anchor in links:
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
