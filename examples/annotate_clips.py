"""Tempo, meter, key and chords of the clips of some files, in Python.

python examples/annotate_clips.py song.mp3 other.flac
"""

import sys
from pathlib import Path

from fgmcaps.pipeline.labels.annotate_file import annotate_path
from fgmcaps.schemas import DeadLetter


def main() -> None:
    """Print the labels of the loudest clip of each file, and the caption that they make."""
    for name in sys.argv[1:]:
        for clip in annotate_path(Path(name), profile_name="permissive"):
            if isinstance(clip, DeadLetter):  # silence, noise, a file that cannot be decoded
                print(f"{name}: {clip.message}")
                continue
            labels = clip.annotation.labels
            print(f"{name} at {clip.annotation.clip.start_s:g} s")
            print(f"  tempo {labels.tempo_bpm}, meter {labels.time_signature}, key {labels.key}")
            print(f"  chords {' '.join(labels.chord_summary)}")
            print(f"  {clip.caption.text}")


if __name__ == "__main__":
    main()
