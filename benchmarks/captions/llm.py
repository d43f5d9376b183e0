"""How often a model's captions are accepted, and how varied they are, through a server that runs.

``python -m benchmarks.captions.llm BASE_URL MODEL [--structured auto|facts|off] [--style STYLE] [--count N] [--every K]
[--concurrency N] [--out FILE] [--cache FOLDER]``. N fact sets (``fact_sets.jsonl``; every K-th) go through the
production engine. It prints what was accepted at the first answer and within three and what the template wrote, what a
second reader finds in accepted captions, the tokens of the facts, and skeletons, self-BLEU, commonest opening and
lengths, for the model and for the template on the same facts.
"""

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path

import httpx2

from benchmarks.captions.diversity import plan_of
from benchmarks.captions.fact_sets import read_fact_sets
from benchmarks.captions.second_reader import differences
from benchmarks.machine import machine
from fgmcaps.captioning import TemplateEngine, parse_caption, self_bleu
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.captioning.engines.openai import OpenAIEngine
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.captioning.prompts.prompt import load_prompt
from fgmcaps.schemas import Caption, Facts

Item = tuple[str, Facts]


async def write_all(settings: EngineSettings, items: list[Item]) -> tuple[list[Caption], float]:
    """Captions in order, and the seconds that they took."""
    async with OpenAIEngine(settings) as engine:
        await engine.wait_ready(30)
        start = time.perf_counter()
        limit = asyncio.Semaphore(settings.concurrency)

        async def one(item: Item) -> Caption:
            async with limit:
                return await engine.caption(*item)

        return list(await asyncio.gather(*map(one, items))), time.perf_counter() - start


def count_tokens(url: str, model: str, text: str) -> int | None:
    """Tokens of a text by the server's own tokenizer; None where it does not say."""
    root = url.removesuffix("/v1")
    for path, body in (
        ("/tokenize", {"model": model, "prompt": text, "add_special_tokens": False}),
        ("/extras/tokenize/count", {"input": text}),
    ):
        answer = httpx2.post(root + path, json=body, timeout=60)
        if answer.status_code == 200:
            return int(answer.json()["count"])
    return None


def variety(texts: list[str], facts: list[Facts]) -> str:
    """Skeletons, self-BLEU, commonest opening, lengths."""
    plans = Counter(plan_of(parse_caption(t, (*f.genre, *f.mood))) for t, f in zip(texts, facts, strict=True))
    openings = Counter(" ".join(text.lower().split()[:2]) for text in texts)
    opening, times = openings.most_common(1)[0]
    words = sorted(len(t.split()) for t in texts)
    return (
        f"{len(plans)} skeletons of {len(texts)}, self-BLEU {self_bleu(texts):.3f}, commonest opening {opening!r} "
        f"{times / len(texts):.1%}, words {words[len(words) // 10]}-{words[len(words) // 2]}-{words[-len(words) // 10]}"
    )


def report(captions: list[Caption], items: list[Item], style: str) -> None:
    """Print what was accepted, why the rest was not, and how varied the captions are."""
    n = len(captions)
    first = sum(c.source == "llm" and c.attempts == 1 for c in captions)
    later = sum(c.source == "llm" for c in captions)
    held = sum(c.prompt_version.endswith("+facts") for c in captions)
    print(
        f"accepted at the first answer {first / n:.3f}, within three {later / n:.3f}, "
        f"template {1 - later / n:.3f} (n {n})"
    )
    print(
        f"under a grammar {held}; refused: {dict(Counter(v.rule for c in captions for v in c.rejected).most_common())}"
    )
    mine = [(c.text, facts) for c, (_, facts) in zip(captions, items, strict=True) if c.source == "llm"]
    doubts = [(text, found) for text, facts in mine if (found := differences(text, facts))]
    print(f"second reader: {len(doubts)} of {len(mine)} accepted captions to look at")
    for text, found in doubts[:20]:
        print(f"  {'; '.join(found)} | {text}")
    print(f"LLM:      {variety([t for t, _ in mine], [f for _, f in mine])}")
    engine = TemplateEngine()
    print(f"template: {variety([engine.write(clip, f, style) for clip, f in items], [f for _, f in items])}")


def main() -> None:
    """Ask, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("model")
    parser.add_argument("--structured", choices=("auto", "facts", "off"), default="auto")
    parser.add_argument("--style", choices=STYLES, default="objective")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, help="Folder of answers, so that a run that was cut off goes on.")
    args = parser.parse_args()
    items = read_fact_sets()[:: args.every][: args.count]
    settings = EngineSettings(
        (args.base_url,),
        args.model,
        styles=(args.style,),
        structured=args.structured,
        concurrency=args.concurrency,
        timeout_s=600,
        deadline_s=1800,
        cache_dir=args.cache,
    )
    prompt = load_prompt(args.style)
    shown = [count_tokens(args.base_url, args.model, prompt.messages(f)[-1]["content"]) for _, f in items[:50]]
    behind = [size for size in shown if size is not None]
    captions, seconds = asyncio.run(write_all(settings, items))
    if args.out is not None:
        rows = [{"id": c.clip_id, "text": c.text, "source": c.source, "attempts": c.attempts} for c in captions]
        args.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{args.model}, {args.style}, structured {args.structured}; {machine()}; load {os.getloadavg()[0]:.1f}")
    print(f"{seconds / len(items):.2f} s a caption, {args.concurrency} at a time")
    if behind:
        print(
            f"tokens of the facts, behind the common prefix: mean {sum(behind) / len(behind):.1f}, most {max(behind)}"
        )
    report(captions, items, args.style)


if __name__ == "__main__":
    main()
