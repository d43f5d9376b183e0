"""Build a dataset from a folder of music, and read it back.

python examples/build_dataset.py music/ out/
"""

import sys
from pathlib import Path

from datasets import Audio, load_dataset

from fgmcaps.pipeline.build.run_build import run_build
from fgmcaps.pipeline.config import BuildConfig


def main() -> None:
    """Build (or go on building), then print one line a clip."""
    music, out = sys.argv[1], Path(sys.argv[2])
    config = BuildConfig(profile="permissive", clips_per_track=1, licence="CC0-1.0")
    run_build(music, out, config, workers=2)
    for clips in load_dataset(str(out)).values():
        for clip in clips.cast_column("audio", Audio(decode=False)):
            print(f"{clip['split']:<10} {clip['source_path']:<30} {clip['caption']}")


if __name__ == "__main__":
    main()
