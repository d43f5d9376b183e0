"""Rows per second that the captioning stage gets from an LLM server of fixed 200 ms latency, on one core; its memory.

``python -m benchmarks.captions.client_throughput [ROWS] [CONCURRENCY] [--one-style]``. A row has the captions of all
styles of a default build, or with ``--one-style`` only the main one. The client is one process pinned to one core (the
server, another process, runs on the others); everything is on: checker, cache, JSON schema. CPU time is
printed beside wall time, since on a busy machine only the former is the client's own.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from benchmarks.captions.make_set import random_facts
from fgmcaps.captioning import TemplateEngine
from fgmcaps.captioning.prompts.prompt import load_prompt, render_facts
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.stages.caption_engines import make_engine
from fgmcaps.pipeline.stages.styles import styles_of
from fgmcaps.schemas import Facts

BATCH = 256


def make_items(count: int, styles: tuple[str, ...]) -> tuple[list[tuple[str, Facts]], list[tuple[str, str, str]]]:
    """Clips with facts, and the right answer to each question in each style."""
    rng, engine = random.Random(5), TemplateEngine()
    items = [(f"clip-{i}", random_facts(rng, rng.choice(("dev", "heldout")))) for i in range(count)]
    answers = [
        (load_prompt(style).system, question, engine.write(clip, facts, style))
        for clip, facts in items
        if (question := render_facts(facts))
        for style in styles
    ]
    return items, answers


def run(config: BuildConfig, items: list[tuple[str, Facts]], folder: Path) -> None:
    """Time the engine of the captioning stage; print a line each quarter."""
    process = psutil.Process()
    sources, start, cpu = Counter[str](), time.perf_counter(), time.process_time()
    engine = make_engine(config, folder, 0)
    batches = (items[i : i + BATCH] for i in range(0, len(items), BATCH))
    captions = chain(chain.from_iterable(engine.submit(batch) for batch in batches), engine.drain())
    for done, caption in enumerate(captions, 1):
        sources[caption.source] += 1
        if done % max(1, len(items) // 4) == 0:
            wall, used = time.perf_counter() - start, time.process_time() - cpu
            print(
                f"{done:7} rows  {done / wall:6.0f}/s of wall time  {done / used:6.0f}/s of CPU time  "
                f"resident {process.memory_info().rss / 2**20:.0f} MiB"
            )
    engine.close()
    print(f"main captions by the server: {sources['llm']}, by the template: {sources['template']}")


def main() -> None:
    """Start the server, pin ourselves, measure."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count, concurrency = [*numbers, *(2000, 256)[len(numbers) :]]
    settings: dict[str, Any] = {"extra_styles": ()} if "--one-style" in sys.argv else {}
    items, answers = make_items(count, styles_of(BuildConfig(**settings)))
    cores = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.captions.fixed_latency_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(json.dumps(answers) + "\n")
        server.stdin.flush()
        port = int(server.stdout.readline())
        if len(cores) > 1:
            os.sched_setaffinity(server.pid, cores[1:])
            os.sched_setaffinity(0, cores[:1])
        with tempfile.TemporaryDirectory() as folder:
            llm = {"model": "m", "base_urls": (f"http://127.0.0.1:{port}/v1",), "concurrency": concurrency}
            run(BuildConfig(captioner="openai", llm=llm, **settings), items, Path(folder))
    finally:
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    main()
