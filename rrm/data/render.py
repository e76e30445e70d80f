"""Candidates become rows: asked about in the template's words, measured, and put aside in the spill file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from rrm.data.batches import batched
from rrm.data.pairs import turned, with_truth
from rrm.data.rows import Candidate, Kept
from rrm.data.spill import Spill
from rrm.data.tokens import ModelTokenizer
from rrm.data.validate import Tally
from rrm.reasoning import ReasoningRule
from rrm.sample import Judged
from rrm.templates import Message, Template

TOO_LONG: Final = "prompt too long"
BATCH: Final = 512


@dataclass(frozen=True)
class Renderer:
    """How candidates become rows.

    Attributes:
        tokenizer: Gives the model's; asked once the first rows are good, so that data errors come first.
        reasoning: The model's reasoning rule.
        max_prompt_tokens: Longer prompts are dropped; of a pair, where either order is longer.
        keeps_samples: Whether the sample itself goes into the row, for what the user brought.
        spill: Receives the texts.
    """

    tokenizer: Callable[[], ModelTokenizer]
    reasoning: ReasoningRule
    max_prompt_tokens: int
    keeps_samples: bool
    spill: Spill

    def render(
        self, candidates: Iterable[Candidate], make_template: Callable[[], Template], tally: Tally
    ) -> Iterator[Kept]:
        """Yield the candidates that fit; a pair is asked about in both orders, as it may be turned later."""
        template = cache(make_template)
        for batch in batched(candidates, BATCH):
            orders = [_orders(candidate.judged) for candidate in batch]
            prompts = [[template().format(one.sample) for one in both] for both in orders]
            lengths = iter(self._lengths([prompt for both in prompts for prompt in both]))
            for candidate, both, asked in zip(batch, orders, prompts, strict=True):
                tokens = [next(lengths) for _ in both]
                if max(tokens) > self.max_prompt_tokens:
                    tally.add(TOO_LONG, f"row {candidate.names.row} has {max(tokens)} tokens")
                else:
                    at = self.spill.append(self._texts(both, asked))
                    yield _kept(candidate, tokens, at)

    def _lengths(self, prompts: Sequence[list[Message]]) -> list[int]:
        return list(self.tokenizer().lengths(prompts, self.reasoning))

    def _texts(self, both: Sequence[Judged], asked: Sequence[list[Message]]) -> dict[str, Any]:
        sample = both[0].sample
        texts = {
            "messages": asked,
            "question": "\n\n".join(message.content for message in sample.input),
            "answers": [output.answer.content for output in sample.output],
        }
        if not self.keeps_samples:
            return texts
        return {**texts, "samples": [with_truth(one).model_dump_json(exclude_none=True) for one in both]}


def _orders(judged: Judged) -> tuple[Judged, ...]:
    return (judged,) if len(judged.sample.output) == 1 else (judged, turned(judged))


def _kept(candidate: Candidate, tokens: Sequence[int], at: int) -> Kept:
    return Kept(
        names=candidate.names,
        group=candidate.group,
        label=candidate.judged.label,
        strength=candidate.judged.strength,
        source=candidate.source,
        data_source=candidate.data_source,
        tokens=tokens[0],
        turned_tokens=tokens[1] if len(tokens) > 1 else 0,
        at=at,
    )
