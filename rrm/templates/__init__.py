"""Prompts and the reading of answers: a sample goes in as messages, an answer comes back as a verdict."""

from typing import Protocol, TypedDict

from rrm.sample import DataSample
from rrm.templates.verdict import ParseFailure, Verdict


class Message(TypedDict):
    """One chat message as chat templates read it."""

    role: str
    content: str


class Template(Protocol):
    """What a prompt template does, ours and a user's alike."""

    def format(self, sample: DataSample) -> list[Message]:
        """Return the messages that ask about a sample of one answer (pointwise) or two (pairwise)."""

    def parse(self, text: str, *, is_cut: bool = False) -> Verdict | ParseFailure:
        """Return what the judge said, on the template's scale; a pair's verdict is on `scales.PREFERENCE`.

        Args:
            text: What the judge wrote, without special tokens.
            is_cut: Whether the token ids show that the length limit ended the answer.
        """
