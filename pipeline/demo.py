"""``python -m fgmcaps.pipeline.demo``: print the folder of the small real music set of ``make demo`` (28 tracks,
MIT)."""

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "immich_memories_music"


def demo_music() -> Path:
    """Folder of the tracks in the installed package. Raises FileNotFoundError naming the remedy."""
    spec = find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "tracks" if spec is not None and spec.origin else None
    if folder is None or not folder.is_dir():
        raise FileNotFoundError("the demo's music (package immich-memories-music) is not installed; run `make setup`")
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{demo_music()}\n")
