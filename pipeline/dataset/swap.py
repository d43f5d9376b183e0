"""A new version of a dataset takes the place of the old one, all or nothing.

Conventions
-----------
- A path below ``data`` never gets other bytes while a manifest lists it. The first version of a dataset has its shards
  in ``data`` itself; one that replaces other shards has them in a folder of their own below, named by a hash of them.
  It appears by one rename, whole, and no earlier card or manifest names it or has a pattern that matches in it.
- Failures, card and manifest are replaced after that, each in one step, the manifest last. What only the old version
  names is deleted at the end. So whoever trusts the manifest finds the old shards or the new ones, and so does whoever
  reads by the card's patterns, as ``load_dataset`` does. A reader that began with the old manifest may find a shard
  gone, never changed; then there is a new manifest to read.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fgmcaps.common.files import sync_folder, temporary_files, write_atomically
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.dataset.card import CARD_NAME, card_text, split_sizes
from fgmcaps.pipeline.dataset.coverage import coverage
from fgmcaps.pipeline.dataset.failures import FAILURES_FOLDER, write_duplicates, write_failures
from fgmcaps.pipeline.dataset.manifest import (
    MANIFEST_NAME,
    ManifestError,
    read_manifest,
    size_problem,
    write_manifest,
)
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.dataset.shards import DATA_FOLDER, shards_folder
from fgmcaps.pipeline.dataset.stats import stats_of_rows
from fgmcaps.schemas import DeadLetter, Duplicate, Manifest, ShardFile


@dataclass(frozen=True, slots=True)
class Publication:
    """All of a version but its shards; the manifest lists them where they will lie."""

    manifest: Manifest
    card: str
    letters: tuple[DeadLetter, ...]
    duplicates: tuple[Duplicate, ...] = ()


def find_shard(out: Path, staging: Path, shard: ShardFile) -> Path | None:
    """The file with the name and the bytes of ``shard``, in staging or anywhere in the dataset ``out``."""
    name = Path(shard.path).name
    for path in (staging / DATA_FOLDER / name, *sorted((out / DATA_FOLDER).rglob(name))):
        if path.is_file() and path.stat().st_size == shard.bytes and sha256_of(path) == shard.sha256:
            return path
    return None


def assemble(staging: Path, shards: Iterable[tuple[ShardFile, Path]]) -> None:
    """Make ``staging/data`` hold exactly these shards, which lie there or, published, elsewhere on the same disk.

    Published files stay where they are: they become links, or copies where the file system has none.
    """
    folder = staging / DATA_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for shard, file in shards:
        target = folder / Path(shard.path).name
        names.add(target.name)
        if file != target:
            target.unlink(missing_ok=True)
            try:
                os.link(file, target)
            except OSError:
                shutil.copyfile(file, target)
    for stray in sorted(folder.iterdir()):
        if stray.name not in names:
            stray.unlink()


def folder_for(out: Path, shards: Sequence[ShardFile]) -> str:
    """The folder of a new version's shards in the dataset: that of the published shards where they are equal."""
    if not (out / MANIFEST_NAME).exists():
        return DATA_FOLDER
    with contextlib.suppress(ManifestError):
        published = read_manifest(out).shards
        if _contents(published) == _contents(shards):
            return shards_folder(published)
    digest = hashlib.sha256("".join(f"{name} {sha256}\n" for name, sha256 in _contents(shards)).encode())
    return f"{DATA_FOLDER}/{digest.hexdigest()[:12]}"


def describe(
    staging: Path,
    manifest: Manifest,
    folder: str,
    letters: Sequence[DeadLetter],
    duplicates: Sequence[Duplicate] = (),
) -> Publication:
    """The manifest and the card of the shards that ``staging`` holds, as they will lie in ``folder``.

    ``manifest`` lists them where they lie now, relative to ``staging``. Raises ShardError.
    """
    published = replace(manifest, shards=tuple(shard.in_folder(folder) for shard in manifest.shards))
    stats = stats_of_rows(published, (row for _, row in iter_rows(staging, manifest)))
    first = next((row for _, row in iter_rows(staging, manifest)), None)
    found = coverage(staging, manifest)
    card = card_text(published, stats, split_sizes(staging, manifest), first, kept=found)
    return Publication(published, card, tuple(letters), tuple(duplicates))


def swap_in(out: Path, staging: Path, new: Publication) -> None:
    """Publish what ``staging/data`` holds (see :func:`assemble`). Safe to call again after a kill at any point.

    Raises OSError, DiskFullError, ManifestError.
    """
    folder = out / shards_folder(new.manifest.shards)
    if _is_published(out, new.manifest):
        _repair(out, staging, new.manifest)
    else:
        if folder.exists():  # left by a swap that was killed before its manifest; staging holds all of it
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        (staging / DATA_FOLDER).rename(folder)
        sync_folder(folder.parent)  # the manifest must never outlive the shards that it lists
    write_failures(out, new.letters)
    write_duplicates(out, new.duplicates)
    write_atomically(out / CARD_NAME, new.card.encode("utf-8"))
    write_manifest(out, new.manifest, replace=True)
    _delete_others(out / DATA_FOLDER, {out / shard.path for shard in new.manifest.shards})
    for left in (*temporary_files(out), *temporary_files(out / FAILURES_FOLDER)):  # by a process that was killed
        left.unlink()


def _contents(shards: Iterable[ShardFile]) -> list[tuple[str, str]]:
    return sorted((Path(shard.path).name, shard.sha256) for shard in shards)


def _is_published(out: Path, new: Manifest) -> bool:
    """True where the published manifest lists the same shards at the same paths."""
    try:
        return set(read_manifest(out).shards) == set(new.shards)
    except ManifestError:
        return False


def _repair(out: Path, staging: Path, manifest: Manifest) -> None:
    """Put back published shards that are missing or damaged."""
    for shard in manifest.shards:
        if size_problem(out, shard) or sha256_of(out / shard.path) != shard.sha256:
            (out / shard.path).parent.mkdir(parents=True, exist_ok=True)
            (staging / DATA_FOLDER / Path(shard.path).name).replace(out / shard.path)


def _delete_others(folder: Path, keep: set[Path]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder before the folder itself
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()
        elif path not in keep:
            path.unlink()
