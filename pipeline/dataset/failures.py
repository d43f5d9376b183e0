"""``failures/*.jsonl``: what did not become a row, one line each; failed, filtered and duplicates apart."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from fgmcaps.common.files import write_atomically
from fgmcaps.schemas import DeadLetter, Duplicate, from_json, to_json
from fgmcaps.schemas.dead_letter import Kind

FAILURES_FOLDER = "failures"
DUPLICATES_NAME = "duplicates.jsonl"
KINDS: tuple[Kind, ...] = get_args(Kind)


def write_failures(out_dir: Path, letters: Iterable[DeadLetter]) -> list[Path]:
    """Write ``failures/failed.jsonl`` and ``failures/filtered.jsonl``, each sorted, so that equal letters in any
    order give equal bytes. Both are written even when empty: an empty file says that nothing failed.
    """
    lines: dict[Kind, list[tuple[str, str, str, str]]] = {kind: [] for kind in KINDS}
    for letter in letters:
        lines[letter.kind].append((letter.track_id, letter.clip_id or "", letter.source_path, to_json(letter)))
    paths = []
    for kind in KINDS:
        path = Path(out_dir) / FAILURES_FOLDER / f"{kind}.jsonl"
        write_atomically(path, "".join(f"{entry[-1]}\n" for entry in sorted(lines[kind])).encode("utf-8"))
        paths.append(path)
    return paths


def write_duplicates(out_dir: Path, duplicates: Iterable[Duplicate]) -> Path:
    """Write ``failures/duplicates.jsonl``: which files were no tracks of their own, and what holds the same."""
    path = Path(out_dir) / FAILURES_FOLDER / DUPLICATES_NAME
    lines = sorted((item.source_path, to_json(item)) for item in duplicates)
    write_atomically(path, "".join(f"{line}\n" for _, line in lines).encode("utf-8"))
    return path


def read_duplicates(out_dir: Path) -> Iterator[Duplicate]:
    """The duplicates of a dataset, by name; none where an older program wrote it. Raises ContractError."""
    path = Path(out_dir) / FAILURES_FOLDER / DUPLICATES_NAME
    if path.exists():
        with path.open("rb") as handle:
            yield from (from_json(Duplicate, line) for line in handle)


def read_failures(out_dir: Path) -> Iterator[DeadLetter]:
    """The dead letters of a dataset; ContractError names the file and line that is none."""
    for kind in KINDS:
        path = Path(out_dir) / FAILURES_FOLDER / f"{kind}.jsonl"
        if not path.exists():
            continue
        with path.open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                try:
                    yield from_json(DeadLetter, line)
                except ValueError as error:
                    raise type(error)(f"{path}:{number}: {error}") from None
