"""The little of the shell that launch scripts use: words, quotes, continued lines, variables with defaults.

Nothing is run. What only a shell could know (`$(date)`, an unset variable) stays as it is written and is
reported with the word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_ASSIGNMENT: Final = re.compile(rf"({_NAME})=(.*)", re.DOTALL)
_VARIABLE: Final = re.compile(
    rf"\$(?:\{{({_NAME})(?:(:?[-=?+])((?:[^{{}}]|\$\{{[^{{}}]*\}})*))?\}}|({_NAME}))"
)
EXPORTS: Final = frozenset({"export", "declare", "readonly"})
_HERE_DOCUMENT: Final = re.compile(
    rf"(?<!<)<<-?[ \t]*(?P<quote>['\"\\]?)(?P<end>{_NAME})(?P<rest>[^\n]*)\n(?s:.*?)^\t*(?P=end)$",
    re.MULTILINE,
)
_COMMAND: Final = re.compile(r"\$\(\(.*?\)\)|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`")
_UNKNOWN: Final = re.compile(r"\$(?:[@*#?!$0-9-]|\{[^}]*\})")


@dataclass(frozen=True)
class Word:
    """One word of a command, expanded.

    Attributes:
        unresolved: What in it only a shell could know.
        variables: Names of the variables whose values it holds.
    """

    text: str
    unresolved: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()


@dataclass
class Script:
    """What a script says.

    Attributes:
        commands: Every command with its expanded words, in order.
        variables: Final value of each variable.
        exported: Names of those that child processes see.
    """

    commands: list[list[Word]] = field(default_factory=list)
    variables: dict[str, Word] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)


def read_script(text: str, *, variables: Mapping[str, str] | None = None) -> Script:
    r"""Return the commands of a script; `variables` are set from outside and win over assignments.

    >>> read_script('N=4\nrun a.b="${N}" \\\n  c=${M:-2} # note').commands[0][1:]  # doctest: +ELLIPSIS
    [Word(text='a.b=4', ...), Word(text='c=2', ...)]
    """
    fixed = dict(variables or {})
    script = Script(variables={name: Word(value) for name, value in fixed.items()})
    for raw in _commands(_without_here_documents(text.replace("\r\n", "\n"))):
        _take(script, [_expand(word, script.variables) for word in raw], fixed)
    return script


def _without_here_documents(text: str) -> str:
    """Return a script without the texts that it writes into files or hands to other programs."""
    return _HERE_DOCUMENT.sub(lambda found: found["rest"].removeprefix(found["quote"]), text)


def _take(script: Script, words: list[Word], fixed: Mapping[str, str]) -> None:
    """Note what a command assigns, and the command itself."""
    is_export = words[0].text in EXPORTS
    rest = words[1:] if is_export else words
    count = next((i for i, word in enumerate(rest) if not _ASSIGNMENT.fullmatch(word.text)), len(rest))
    is_seen_by_children = is_export or count < len(rest)
    for word in rest[:count]:
        name, _, value = word.text.partition("=")
        if is_seen_by_children:
            script.exported.add(name)
        if name not in fixed:
            script.variables[name] = Word(value, word.unresolved, word.variables | {name})
    if is_export:
        script.exported.update(word.text for word in rest[count:] if re.fullmatch(_NAME, word.text))
    elif rest[count:]:
        script.commands.append(rest[count:])


Piece = tuple[str, bool]
"""A run of characters, and whether the shell expands it."""


def _commands(text: str) -> Iterator[list[list[Piece]]]:
    """Yield each command as words made of pieces; operators and line ends divide commands."""
    words: list[list[Piece]] = []
    for token in _tokens(text):
        if token is not None:
            words.append(token)
        elif words:
            yield words
            words = []
    if words:
        yield words


DIVIDERS: Final = frozenset({"comment", "space", "end"})
_TOKEN: Final = re.compile(
    r"""(?P<comment>(?:(?<=\s)|^)(?:\#[^\n]*|`\s*\#[^`]*`))
      | (?P<joined>\\\n)
      | (?P<single>'[^']*')
      | (?P<double>"(?:\\.|[^"\\])*")
      | (?P<escaped>\\.)
      | (?P<expansion>\$\(\(.*?\)\)|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`|\$\{[^}]*\})
      | (?P<end>[;&|\n]+)
      | (?P<space>[ \t]+)
      | (?P<plain>[^\s'"\\;&|$`]+|.)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def _tokens(text: str) -> Iterator[list[Piece] | None]:
    """Yield words as pieces, and None at the end of each command."""
    word: list[Piece] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "joined":  # one line to the shell
            continue
        if match.lastgroup not in DIVIDERS:
            word.append(_piece(match))
            continue
        if word:
            yield word
            word = []
        if match.lastgroup == "end":
            yield None
    if word:
        yield word


def _piece(match: re.Match[str]) -> Piece:
    found = match.group()
    match match.lastgroup:
        case "single":
            return found[1:-1], False
        case "double":
            return re.sub(r'\\(["\\])', r"\1", found[1:-1].replace("\\\n", "")), True
        case "escaped":
            return found[1:], False
        case _:
            return found, True


def _expand(pieces: list[Piece], variables: Mapping[str, Word]) -> Word:
    """Return a word with its variables replaced."""
    text = ""
    unresolved: list[str] = []
    used: set[str] = set()
    for piece, is_expanded in _joined(pieces):
        if not is_expanded:
            text += piece
            continue
        word = _expand_text(piece, variables)
        text += word.text
        unresolved += word.unresolved
        used |= word.variables
    return Word(text, tuple(unresolved), frozenset(used))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Yield neighbours of a kind as one: `$` and `NAME` are two tokens but one variable."""
    held = ""
    for piece, is_expanded in pieces:
        if is_expanded:
            held += piece
            continue
        if held:
            yield held, True
            held = ""
        yield piece, False
    if held:
        yield held, True


def _expand_text(text: str, variables: Mapping[str, Word]) -> Word:
    unresolved = [found.group() for found in _COMMAND.finditer(text)]
    used: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        name, operator, default = match[1] or match[4], match[2], (match[3] or "").strip("\"'")
        known = variables.get(name)
        is_empty = known is not None and not known.text and operator in {":-", ":="}
        if known is not None and not is_empty and operator not in {"+", ":+"}:
            used.update(known.variables | {name})
            unresolved.extend(known.unresolved)
            return known.text
        if is_empty or (known is None and operator in {"-", "=", ":-", ":="}):
            word = _expand_text(default, variables)
            unresolved.extend(word.unresolved)
            used.update(word.variables)
            return word.text
        unresolved.append(f"${{{name}}}")
        return f"${{{name}}}"

    expanded = _VARIABLE.sub(replaced, text)
    unresolved += [found for found in _UNKNOWN.findall(expanded) if found not in unresolved]
    return Word(expanded, tuple(dict.fromkeys(unresolved)), frozenset(used))
