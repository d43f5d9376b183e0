"""What a dataset card says of its captions: who wrote them, why some were refused, how long and how varied they are."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas import Caption, Facts

from .diversity import distinct_n, self_bleu
from .prompting import load_prompt

SAMPLE = 1000
LENGTH_STEP = 50


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """Counts over a set of captions. ``lengths`` maps the lower edge of a bin of 50 characters to its captions.

    Diversity is of a sample of at most 1,000 captions, chosen by clip id, so that order and workers do not change it.
    """

    captions: int
    by_source: dict[str, int]
    by_model: dict[str, int]
    rejections: dict[str, int]
    attempts: dict[int, int]
    lengths: dict[int, int]
    distinct_1: float
    distinct_2: float
    distinct_3: float
    self_bleu: float


def report_captions(captions: Iterable[Caption]) -> CaptionReport:
    """Read the captions once, in any order; memory does not grow with their number."""
    count = 0
    by_source: Counter[str] = Counter()
    by_model: Counter[str] = Counter()
    rejections: Counter[str] = Counter()
    attempts: Counter[int] = Counter()
    lengths: Counter[int] = Counter()
    sample: list[tuple[int, str, str]] = []
    for caption in captions:
        count += 1
        by_source[caption.source] += 1
        by_model[caption.model or caption.prompt_version] += 1
        rejections.update(verdict.rule for verdict in caption.rejected)
        attempts[caption.attempts] += 1
        lengths[len(caption.text) // LENGTH_STEP * LENGTH_STEP] += 1
        rank = int.from_bytes(hashlib.sha256(caption.clip_id.encode()).digest()[:8], "big")
        entry = (-rank, caption.clip_id, caption.text)  # a heap of the smallest ranks: its top is the largest
        if len(sample) < SAMPLE:
            heapq.heappush(sample, entry)
        else:
            heapq.heappushpop(sample, entry)
    texts = [text for _, _, text in sorted(sample)]
    return CaptionReport(
        count,
        dict(sorted(by_source.items())),
        dict(sorted(by_model.items())),
        dict(sorted(rejections.items())),
        dict(sorted(attempts.items())),
        dict(sorted(lengths.items())),
        round(distinct_n(texts, 1), 4),
        round(distinct_n(texts, 2), 4),
        round(distinct_n(texts, 3), 4),
        round(self_bleu(texts), 4),
    )


def dry_run(items: Iterable[tuple[str, Facts]], style: str = "objective") -> Iterator[str]:
    """The prompts that would be sent, as text: the whole one for the first clip, then only each clip's facts."""
    prompt = load_prompt(style)
    for number, (clip_id, facts) in enumerate(items):
        messages = prompt.messages(facts)
        shown = messages if number == 0 else messages[-1:]
        body = "\n".join(f"<{m['role']}>\n{m['content']}" for m in shown)
        yield f"== {clip_id} ({prompt.version})\n{body}\n"
