"""Add cheap tools to a dump that lacks them: python -m benchmarks.labels.more_tools DUMP CLIPS chroma_key [...]

Writes ``OUT/<clip>.<tool>.json`` beside each dumped clip; :func:`benchmarks.labels.corpus.load` reads both. Clips that
have it already are left alone.
"""

import argparse
import json
import time
from pathlib import Path

from annotators.registry import make_annotator
from benchmarks.annotators.clips import read_clip
from schemas.codec import to_dict

SUFFIX = ".json"


def main() -> None:
    """Annotate and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("tools", nargs="+")
    args = parser.parse_args()
    tools = {name: make_annotator(name) for name in args.tools}
    done, started = 0, time.process_time()
    for path in dumped(args.dump):
        clip = path.relative_to(args.dump).with_name(path.name.removesuffix(SUFFIX))
        for name, tool in tools.items():
            target = path.with_name(f"{clip.name}.{name}.more")
            if target.exists():
                continue
            audio = read_clip(args.clips / clip)
            estimate = tool.annotate(audio.at(tool.sample_rate), tool.sample_rate)
            target.write_text(json.dumps(to_dict(estimate), separators=(",", ":")), "utf-8")
            done += 1
    print(f"{done} estimates, {(time.process_time() - started) / max(1, done):.3f} CPU s each")


def dumped(folder: Path) -> list[Path]:
    """The dumped clips of a folder."""
    return sorted(path for path in folder.rglob(f"*{SUFFIX}") if not path.name.startswith("."))


if __name__ == "__main__":
    main()
