"""Which files of a hub data set hold a split: what its README's `configs` say, else files named after it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rrm.data.files import has_rows

README: Final = "README.md"
_FRONT_MATTER: Final = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_FIRST_SPLIT: Final = "train"
"""Files that a README names without a split are this one, as for the hub itself."""


@dataclass(frozen=True)
class Config:
    """One configuration of a data set: its name, and the file patterns of each of its splits."""

    name: str
    splits: Mapping[str, tuple[str, ...]]
    is_default: bool = False


def configs_of(readme: str) -> tuple[Config, ...]:
    r"""Return the configurations that a README's front matter names with their files; () for none.

    What is not written as the hub documents it is passed over: the hub itself then goes by file names too.

    >>> configs_of("---\nconfigs:\n- config_name: a\n  data_files: {test: a/*.parquet}\n---\n")
    (Config(name='a', splits={'test': ('a/*.parquet',)}, is_default=False),)
    """
    import yaml

    match = _FRONT_MATTER.match(readme)
    try:
        document = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        return ()
    listed = document.get("configs") if isinstance(document, dict) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return tuple(
        Config(str(entry.get("config_name", "default")), splits, entry.get("default") is True)
        for entry in entries
        if (splits := _splits(entry))
    )


def chosen_config(configs: Sequence[Config], path: str | None) -> Config | None:
    """Return the configuration that a path names, or the default one if there is no path.

    >>> one, other = Config("one", {}), Config("other", {})
    >>> chosen_config([one, other], "other") is other, chosen_config([one, other], None)
    (True, None)
    """
    if path is not None:
        return next((config for config in configs if config.name == path.strip("/")), None)
    if len(configs) == 1:
        return configs[0]
    return next((config for config in configs if config.is_default or config.name == "default"), None)


def config_files(config: Config, split: str, published: Iterable[str]) -> list[str]:
    """Return the row files of a configuration's split, by name.

    >>> config_files(Config("a", {"test": ("data/*.jsonl",)}), "test", ["data/1.jsonl", "data/x/2.jsonl"])
    ['data/1.jsonl']
    """
    patterns = [_pattern(glob) for glob in config.splits.get(split, ())]
    return sorted(
        name
        for name in published
        if has_rows(name.rpartition("/")[2]) and any(pattern.fullmatch(name) for pattern in patterns)
    )


def split_files(published: Iterable[str], *, path: str | None, split: str) -> list[str]:
    """Return the row files that hold a split: the named file, or those whose name starts with the split.

    Without a path only the top folder and `data/` count: other folders hold other data.

    >>> files = ["README.md", "train.jsonl.gz", "validation.jsonl.gz", "preference/train.jsonl.gz"]
    >>> split_files(files, path=None, split="train")
    ['train.jsonl.gz']
    >>> split_files(files, path="preference", split="train")
    ['preference/train.jsonl.gz']
    """
    names = sorted(published)
    if path in names:
        return [path]
    folders = {path.strip("/")} if path else {"", "data"}
    is_split = re.compile(rf"{re.escape(split)}(?![A-Za-z0-9])")
    found = []
    for name in names:
        folder, _, base = name.rpartition("/")
        if folder in folders and has_rows(base) and is_split.match(base):
            found.append(name)
    return found


def _splits(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the patterns by split; `data_files` is a pattern, a list of them or of records, or a mapping."""
    said = entry.get("data_files")
    folder = entry.get("data_dir")
    below = f"{folder.strip('/')}/" if isinstance(folder, str) and folder.strip("/.") else ""
    named: dict[str, tuple[str, ...]] = {}
    for split, paths in _by_split(said):
        globs = [paths] if isinstance(paths, str) else paths if isinstance(paths, list) else []
        patterns = tuple(below + glob.removeprefix("./") for glob in globs if isinstance(glob, str))
        named[split] = named.get(split, ()) + patterns
    return {split: patterns for split, patterns in named.items() if patterns}


def _by_split(said: Any) -> list[tuple[str, Any]]:
    match said:
        case str():
            return [(_FIRST_SPLIT, said)]
        case dict():
            return [(str(split), paths) for split, paths in said.items()]
        case list():
            return [
                (str(item.get("split", _FIRST_SPLIT)), item.get("path"))
                if isinstance(item, dict)
                else (_FIRST_SPLIT, item)
                for item in said
            ]
    return []


def _pattern(glob: str) -> re.Pattern[str]:
    """Return the expression of a glob: `**` crosses folders, `*` and `?` do not; braces are alternatives."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    tokens = re.findall(r"\*\*/|\*\*|\[[^\]/]+\]|.", glob)
    is_braced = "{" in glob and "}" in glob
    return re.compile("".join(_token(token, parts, is_braced=is_braced) for token in tokens))


def _token(token: str, parts: Mapping[str, str], *, is_braced: bool) -> str:
    if token in "{},":
        return parts[token] if is_braced else re.escape(token)
    if len(token) > 1 and token.startswith("["):
        return "[" + token[1:-1].replace("\\", r"\\").replace("!", "^", 1) + "]"
    return parts.get(token, re.escape(token))
