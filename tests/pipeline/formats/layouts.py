"""Recipes of small datasets in exactly the layouts that others publish."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import soundfile

BPM = 120.0
ROW = {
    "dataset": "MusicBench",
    "prompt_aug": "",
    "prompt_ch": "The chord sequence is Gbm7, B.",
    "prompt_bt": "The beat counts to 4.",
    "prompt_bpm": "The bpm is 120.0.",
    "prompt_key": "The key of this song is F# minor.",
    "beats": [[0.25, 0.75, 1.25, 1.75, 2.25], [3.0, 4.0, 1.0, 2.0, 3.0]],
    "bpm": BPM,
    "chords": ["Gbm7", "B", "G/D"],
    "chords_time": [0.464399092, 3.0, 6.5],
    "key": ["F#", "minor"],
    "keyprob": [0.8934084177017212],
    "is_audioset_eval_mcaps": False,
}


def wav(seed: int, seconds: float = 10.0, rate: int = 16_000) -> bytes:
    """A 16-bit mono WAV; its bytes depend on ``seed``."""
    time = np.arange(round(seconds * rate)) / rate
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.4 * np.sin(2 * np.pi * (200 + 37 * seed) * time), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def row(location: str, main: str = "A song.", alt: str = "", **changes) -> dict:
    """A row with MusicBench's columns."""
    return {**ROW, "location": location, "main_caption": main, "alt_caption": alt, **changes}


def write_rows(path: Path, rows: list[dict]) -> None:
    """JSON lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    """A gzipped tar, with folders as members of their own as tar writes them."""
    with tarfile.open(path, "w:gz") as tar:
        for folder in sorted({str(Path(name).parent) for name in files}):
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


TRAINED, TESTED, UNDERSCORED = "-0SdAVK79lg", "0khKvVDyYV4", "0i8qM5xs6_1"
AUDIO = {
    f"data/{TRAINED}.wav": wav(1),
    f"data_aug2/{TRAINED}_1.wav": wav(2),
    f"data_aug2/{TRAINED}_10.wav": wav(3),
    f"data/{TESTED}.wav": wav(4),
    f"data_aug2/{TESTED}_2.wav": wav(5),
    f"data/{UNDERSCORED}.wav": wav(6),
    f"data_aug2/{UNDERSCORED}_3.wav": wav(7),
}


def musicbench(folder: Path, packed: bool = True) -> Path:
    """Two training recordings (one whose YouTube id ends in ``_1``) with three copies, one test recording with one
    copy in the training file."""
    folder.mkdir(parents=True)
    train = [
        row(f"data/{TRAINED}.wav", "A mellow track.", "An older caption."),
        row(f"data_aug2/{TRAINED}_1.wav", "A mellow track, higher.", bpm=112.0),
        row(f"data_aug2/{TRAINED}_10.wav", "A mellow track, lower."),
        row(f"data_aug2/{TESTED}_2.wav", "A loud track, faster."),
        row(f"data/{UNDERSCORED}.wav", "A third track."),
        row(f"data_aug2/{UNDERSCORED}_3.wav", "A third track, quieter."),
    ]
    write_rows(folder / "MusicBench_train.json", train)
    write_rows(folder / "MusicBench_test_A.json", [row(f"data/{TESTED}.wav", "A loud track.")])
    write_rows(
        folder / "MusicBench_test_B.json",
        [row(f"data/{TESTED}.wav", "A loud track. The key is F# minor.", "A loud track.")],
    )
    if packed:
        write_tar(folder / "MusicBench.tar.gz", {f"datashare/{name}": data for name, data in AUDIO.items()})
    else:
        for name, data in AUDIO.items():
            path = folder / "datashare" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def fmacaps_files() -> dict[str, bytes]:
    """``FMACaps_eval_set/``: three variants of two clips, one of 5.5 s, at 16 kHz."""
    out: dict[str, bytes] = {}
    said = {"A": "A song.", "B": "A song. The bpm is 120.0. The key is F# minor.", "C": "A song. The bpm is 120.0."}
    for variant, text in said.items():
        rows = [row(f"audiodata/{n:06d}.wav", f"{text} ({n})", dataset="FMACaps") for n in (2, 140)]
        out[f"FMACaps_eval_set/FMACaps_{variant}.json"] = "".join(json.dumps(r) + "\n" for r in rows).encode()
    out["FMACaps_eval_set/audiodata/000002.wav"] = wav(11)
    out["FMACaps_eval_set/audiodata/000140.wav"] = wav(12, 5.5)
    return out
