"""A dump of one profile from that of another: python -m benchmarks.labels.redump DUMP CLIPS OUT --profile fast

Estimates of tools with equal settings are taken over, the others are made; so what a profile needs beyond the other is
all that it costs. Clips that OUT has already are left alone.
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.annotators.clips import read_clip
from benchmarks.annotators.dump import read_dump
from benchmarks.labels.corpus import with_onset_lag
from benchmarks.machine import machine
from fgmcaps.annotators import load_profile
from fgmcaps.schemas.codec import to_dict


def main() -> None:
    """Annotate what is missing, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--base", default="best", help="profile of DUMP")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    print(machine())
    had = {tool.info.name: tool.settings() for tool in load_profile(args.base).annotators}
    tools = load_profile(args.profile).annotators
    new = [tool for tool in tools if had.get(tool.info.name) != tool.settings()]
    kept = {tool.info.name for tool in tools} - {tool.info.name for tool in new}
    print(f"kept: {', '.join(sorted(kept))}; annotated again: {', '.join(tool.info.name for tool in new)}", flush=True)
    done, started = 0, time.process_time()
    for path in sorted(args.dump.rglob("*.json"))[: args.limit]:
        target = args.out / path.relative_to(args.dump)
        if target.exists() or path.name.startswith("."):
            continue
        name, gate, estimates = read_dump(path)
        found = [with_onset_lag(e, path) for e in estimates if e.annotator in kept]
        if gate is None:
            audio = read_clip(args.clips / name)
            found += [tool.annotate(audio.at(tool.sample_rate), tool.sample_rate) for tool in new]
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        record = {"clip": name, "gate": gate, "estimates": [to_dict(e) for e in found]}
        part.write_text(json.dumps(record, separators=(",", ":")), "utf-8")
        part.rename(target)
        done += 1
    print(f"{done} clips, {(time.process_time() - started) / max(1, done):.3f} CPU s each")


if __name__ == "__main__":
    main()
