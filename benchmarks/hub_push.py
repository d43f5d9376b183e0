"""``fgmcaps push`` against a plain ``upload_folder`` of the same files, its memory, and reading back by streaming.

    python -m benchmarks.hub_push [--shards 2] [--shard-mb 500] [--repeats 3]

Client and server (``tests/hub_server``) are processes of their own on loopback, without Xet. Each upload starts with an
empty server. Times are of the calls alone, without the start of Python; memory is the peak resident size of the client.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.failures import write_failures
from fgmcaps.pipeline.dataset.manifest import write_manifest
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, Manifest
from tests.factories import TOOLS, make_row

REPO = "user/bench"
NOISE_BYTES = 480_000  # 10 s of 16-bit noise at 24 kHz, which FLAC cannot shrink

_CLIENT = """
import json, sys, time
job = json.loads(sys.argv[1])
if job["kind"] == "push":
    from pathlib import Path
    from fgmcaps.pipeline.hub.push import push_dataset
    call = lambda: push_dataset(Path(job["folder"]), job["repo"])
elif job["kind"] == "plain":
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo(job["repo"], repo_type="dataset")
    call = lambda: api.upload_folder(folder_path=job["folder"], repo_id=job["repo"], repo_type="dataset")
else:
    from datasets import Audio, load_dataset
    stream = load_dataset(job["repo"], job["config"], split="train", streaming=True)
    stream = stream.cast_column("audio", Audio(decode=False)) if "audio" in (stream.column_names or ()) else stream
    call = lambda: sum(1 for _ in stream)
start, before = time.perf_counter(), time.process_time()
rows = call()
seconds = time.perf_counter() - start
cpu = time.process_time() - before
status = open("/proc/self/status").read()  # getrusage would count the parent's size at the fork
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "rows": rows if isinstance(rows, int) else 0}))
"""


def make_dataset(out: Path, shards: int, shard_bytes: int) -> int:
    """A finished dataset of incompressible clips in one split; returns its rows."""
    rng = np.random.default_rng(0)
    patterns = [make_row(number, audio="none") for number in range(32)]
    per_shard = max(1, shard_bytes // NOISE_BYTES)

    def rows(first: int) -> Iterator[dict[str, Any]]:
        for number in range(first, first + per_shard):
            samples = (rng.integers(-32768, 32767, 240_000) / 32768).astype(np.float32)
            track, start = f"{number:016x}", 0
            identifier = f"{track}-{start:08d}"
            yield {
                **patterns[number % len(patterns)],
                "id": identifier,
                "track_id": track,
                "start_s": 0.0,
                "split": "train",
                "licence": "CC-BY-4.0",
                "audio": {"bytes": encode_flac(samples, 24_000), "path": f"{identifier}.flac"},
            }

    files = tuple(write_shard(out, "train", i, shards, rows(i * per_shard)) for i in range(shards))
    write_failures(out, [])
    total = shards * per_shard
    counts = Counts(total, 0, total, total, total, 0, 0)
    write_manifest(out, Manifest(FGMCAPS_SCHEMA_VERSION, "0" * 64, {"audio": "embed"}, counts, files, TOOLS))
    write_card(out)
    return total


@contextmanager
def fresh_server(root: Path) -> Iterator[dict[str, str]]:
    """A server with nothing in it; yields the environment of its clients."""
    folder = root / "server"
    shutil.rmtree(folder, ignore_errors=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.hub_server", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        yield {
            **os.environ,
            "HF_ENDPOINT": url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_TOKEN": "hf_writer",
            "HF_HOME": str(root / "home"),
        }
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def client(environment: dict[str, str], **job: Any) -> dict[str, float]:
    """Run one job in a process of its own."""
    job = {"repo": REPO, **job}
    done = subprocess.run(
        [sys.executable, "-c", _CLIENT, json.dumps(job)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(root: Path, shards: int, shard_mb: int, repeats: int) -> None:
    """Measure and print."""
    out, small, plain = root / "out", root / "small", root / "plain"
    rows = make_dataset(out, shards, shard_mb << 20)
    make_dataset(small, 1, 20 << 20)
    plain.mkdir()
    prepare(out, plain, PublishSettings(REPO, "http://127.0.0.1/bench"), TransferProgress())  # the same files
    size = sum(path.stat().st_size for path in plain.rglob("*") if path.is_file())
    print(f"{rows} rows, {shards} shards, {size / 1e6:.0f} MB; {machine()}")
    times: dict[str, list[float]] = {"push": [], "plain": []}
    peak = {"push": 0.0, "plain": 0.0}
    cpu: dict[str, list[float]] = {"push": [], "plain": []}
    for _ in range(repeats):
        for kind, folder in (("plain", plain), ("push", out)):
            with fresh_server(root) as environment:
                got = client(environment, kind=kind, folder=str(folder))
            times[kind].append(got["seconds"])
            cpu[kind].append(got["cpu"])
            peak[kind] = max(peak[kind], got["peak_mb"])
    for kind, seconds in times.items():
        used = statistics.median(cpu[kind])
        each = ", ".join(f"{value:.2f}" for value in seconds)
        middle = statistics.median(seconds)
        print(f"{kind}: {each} s; median {middle:.2f} s, of processor {used:.2f} s; peak {peak[kind]:.0f} MB")
    ratio = statistics.median(times["push"]) / statistics.median(times["plain"])
    print(f"push / upload_folder: {ratio:.3f} (bound 1.1)")
    with fresh_server(root) as environment:
        base = client(environment, kind="push", folder=str(small))["peak_mb"]
    print(f"peak of the push: {base:.0f} MB with a shard of 20 MB, {peak['push']:.0f} MB with {shard_mb} MB")
    with fresh_server(root) as environment:
        client(environment, kind="push", folder=str(out))
        for config in ("default", "metadata"):
            read = client(environment, kind="stream", config=config)
            print(f"streaming {config}: {read['rows']:.0f} rows, {read['rows'] / read['seconds']:.0f} rows/s")


def main() -> None:
    """Parse, run in a temporary folder, clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--shard-mb", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.shards, given.shard_mb, given.repeats)


if __name__ == "__main__":
    main()
