"""Captions per second of the LLM client, on one core, against a server of fixed 200 ms latency; and its memory.

``python -m benchmarks.captions.client_throughput [CAPTIONS] [CONCURRENCY]``. The client is one process pinned to one
core (the server, another process, runs on the others); everything is on: checker, cache, JSON schema. CPU time is
printed beside wall time, since on a busy machine only the former is the client's own.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.captions.make_set import random_facts
from fgmcaps.captioning import TemplateEngine
from fgmcaps.captioning.engines.openai import OpenAIEngine
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.captioning.prompts.prompting import render_facts
from fgmcaps.schemas import Facts


def make_items(count: int) -> tuple[list[tuple[str, Facts]], dict[str, str]]:
    """Clips with facts, and the right answer to each question."""
    rng, engine = random.Random(5), TemplateEngine()
    items = [(f"clip-{i}", random_facts(rng, rng.choice(("dev", "heldout")))) for i in range(count)]
    return items, {q: engine.write(c, f) for c, f in items if (q := render_facts(f))}


async def run(url: str, items: list[tuple[str, Facts]], concurrency: int, folder: Path) -> None:
    """Time the stream; print a line each quarter."""
    process = psutil.Process()
    settings = EngineSettings((url,), "m", concurrency=concurrency, cache_dir=folder)
    done, start, cpu = 0, time.perf_counter(), time.process_time()
    async with OpenAIEngine(settings) as engine:

        def source() -> Iterator[tuple[str, Facts]]:
            yield from items

        async for _ in engine.caption_many(source()):
            done += 1
            if done % max(1, len(items) // 4) == 0:
                wall, used = time.perf_counter() - start, time.process_time() - cpu
                print(
                    f"{done:7} captions  {done / wall:6.0f}/s of wall time  {done / used:6.0f}/s of CPU time  "
                    f"resident {process.memory_info().rss / 2**20:.0f} MiB"
                )
        print(f"written by the server: {engine.stats.llm}, by the template: {engine.stats.template}")


def main() -> None:
    """Start the server, pin ourselves, measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    items, answers = make_items(count)
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
            asyncio.run(run(f"http://127.0.0.1:{port}/v1", items, concurrency, Path(folder)))
    finally:
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    main()
