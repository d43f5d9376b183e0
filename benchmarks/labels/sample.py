"""A small fixed sample of what the tools say, for a test: python -m benchmarks.labels.sample DUMP TRUTH OUT.json.xz

The first clips of the test split of each domain in the order of a hash of their names, so that none is chosen.
"""

import argparse
import hashlib
import json
import lzma
from pathlib import Path

from benchmarks.labels.corpus import load
from fgmcaps.schemas.codec import to_dict

DOMAINS = ("rendered", "billboard", "pop909")


def main() -> None:
    """Write the file and print its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-domain", type=int, default=24)
    args = parser.parse_args()
    rows = []
    for name in DOMAINS:
        clips = [c for c in load(args.truth / name, args.dump / name) if c.split == "test" and c.gate is None]
        clips.sort(key=lambda clip: hashlib.sha256(clip.name.encode()).digest())
        for clip in clips[: args.per_domain]:
            estimates = [to_dict(estimate) for estimate in clip.estimates]
            rows.append({"domain": name, "name": clip.name, "truth": to_dict(clip.truth), "estimates": estimates})
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(lzma.compress(json.dumps(rows, separators=(",", ":")).encode(), preset=9))
    print(f"{args.out}: {len(rows)} clips, {args.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
