"""``manifest.json``: written last; whoever finds it finds a whole dataset."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.common.safe_paths import path_inside
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, ContractError, Manifest, ShardFile, from_json, to_dict
from fgmcaps.schemas.version import is_readable

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 256 << 20

log = logging.getLogger(__name__)


class ManifestError(InvalidDataError, ValueError):
    """No manifest, one that cannot be read, or one that does not fit; the message says what to do."""


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file's bytes: equal manifests give equal bytes (sorted keys)."""
    return (json.dumps(to_dict(manifest), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def write_manifest(out_dir: Path, manifest: Manifest, *, replace: bool = False) -> Path:
    """Publish the dataset, in one step. Writing the same manifest again changes nothing.

    Raises ManifestError when a shard that it lists is missing or has another size, and, unless ``replace``, when there
    is another manifest already.
    """
    path = Path(out_dir) / MANIFEST_NAME
    for shard in manifest.shards:
        problem = size_problem(Path(out_dir), shard)
        if problem:
            raise ManifestError(f"{path}: not written: {shard.path}: {problem}")
    data = manifest_bytes(manifest)
    try:
        write_atomically(path, data, replace=replace)
    except FileExistsError:
        if path.read_bytes() != data:
            raise ManifestError(
                f"{path}: there is a different manifest already; a published dataset is never changed in place: "
                "choose another output folder, or delete this one"
            ) from None
    log.info("wrote %s: %d shards, %d rows", path, len(manifest.shards), manifest.counts.rows)
    return path


def read_manifest(out_dir: Path) -> Manifest:
    """Read and check the manifest of a dataset; ManifestError when it is missing, malformed or of a newer schema."""
    path = Path(out_dir) / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ManifestError(f"{path}: larger than {MAX_MANIFEST_BYTES} bytes: not one of our manifests")
        manifest = from_json(Manifest, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"{path}: no manifest: the build has not finished; run the same build again") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error
    except ContractError as error:
        raise ManifestError(f"{path}: {error}; the file was changed or is not ours: rebuild the dataset") from None
    if not is_readable(manifest.schema_version):
        raise ManifestError(
            f"{path}: schema version {manifest.schema_version}, this program reads {FGMCAPS_SCHEMA_VERSION}: "
            "use the program version that wrote it, or rebuild the dataset"
        )
    return manifest


def is_complete(out_dir: Path) -> bool:
    """True when the manifest is there and every shard it lists has its size. Cheap: no bytes are hashed."""
    try:
        manifest = read_manifest(out_dir)
    except ManifestError:
        return False
    return not any(size_problem(Path(out_dir), shard) for shard in manifest.shards)


def verify_shards(out_dir: Path, manifest: Manifest) -> Iterator[tuple[ShardFile, str]]:
    """``(shard, what is wrong)`` for every listed shard that is missing, resized or has other bytes."""
    for shard in manifest.shards:
        problem = size_problem(Path(out_dir), shard)
        if not problem and sha256_of(Path(out_dir) / shard.path) != shard.sha256:
            problem = "its SHA-256 is not the manifest's: the file was changed or damaged"
        if problem:
            yield shard, problem


def size_problem(out_dir: Path, shard: ShardFile) -> str:
    """What is wrong with the presence or the size of a listed shard; empty when nothing is."""
    try:
        size = path_inside(Path(out_dir), shard.path).stat().st_size
    except ValueError:
        return "its path leaves the dataset's folder"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    return "" if size == shard.bytes else f"the file has {size} bytes, the manifest says {shard.bytes}"
