"""Variety of the template engine over 1,000 random facts: sentence plans, distinct-1/2/3, self-BLEU, lengths, speed.

``python -m benchmarks.captions.diversity [N]``. A sentence plan is the caption with its values blanked out.
"""

import random
import re
import sys
import time

from benchmarks.captions.make_set import random_facts
from fgmcaps.captioning import ParsedCaption, TemplateEngine, check_caption, distinct_n, parse_caption, self_bleu
from fgmcaps.captioning.checker.form import STYLES

# A progression is one slot of a plan, however many chords it has.
_LISTS = re.compile(r"<P>(?:(?:[,–\s]|and|to|then)+<P>)+")


def plan_of(parsed: ParsedCaption) -> str:
    """The caption with tempi, tempo words, meters, names and terms replaced by their kind."""
    kinds = (
        ("T", parsed.tempi),
        ("W", parsed.markings),
        ("M", parsed.meters),
        ("P", parsed.pitches),
        ("G", parsed.terms),
    )
    spans = sorted((m.start, m.end, kind) for kind, mentions in kinds for m in mentions)
    out, at = [], 0
    for start, end, kind in spans:
        if start >= at:
            out += [parsed.text[at:start], f"<{kind}>"]
            at = end
    return _LISTS.sub("<P>...", "".join([*out, parsed.text[at:]]))


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng, engine = random.Random(3), TemplateEngine()
    facts = [random_facts(rng, rng.choice(("dev", "heldout"))) for _ in range(count)]
    for style in STYLES:
        start = time.perf_counter()
        texts = [engine.write(f"clip-{i}", f, style) for i, f in enumerate(facts)]
        written = time.perf_counter()
        passed = sum(check_caption(t, f, style).ok for t, f in zip(texts, facts, strict=True))
        checked = time.perf_counter()
        plans = {plan_of(parse_caption(t, (*f.genre, *f.mood))) for t, f in zip(texts, facts, strict=True)}
        sizes = sorted(map(len, texts))
        print(
            f"{style:<10} plans {len(plans):4}  distinct-1/2/3 {distinct_n(texts, 1):.3f}/{distinct_n(texts, 2):.3f}/"
            f"{distinct_n(texts, 3):.3f}  self-BLEU {self_bleu(texts):.3f}  length {sizes[0]}-{sizes[-1]}, median "
            f"{sizes[len(sizes) // 2]}  passed {passed}/{count}  write {(written - start) / count * 1e6:.0f} us, "
            f"check {(checked - written) / count * 1e6:.0f} us"
        )


if __name__ == "__main__":
    main()
