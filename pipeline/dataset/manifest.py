"""``manifest.json``: written last, put-if-absent; whoever finds it finds a whole dataset."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgmcaps.common.files import write_atomically
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, ContractError, Manifest, ShardFile, from_json, to_dict

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 256 << 20
_BLOCK = 1 << 20

log = logging.getLogger(__name__)


class ManifestError(ValueError):
    """No manifest, one that cannot be read, or one that does not fit; the message says what to do."""


class FingerprintMismatchError(ManifestError):
    """The folder holds a dataset of another configuration or of other tool versions."""


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file's bytes: equal manifests give equal bytes (sorted keys)."""
    return (json.dumps(to_dict(manifest), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def write_manifest(out_dir: Path, manifest: Manifest) -> Path:
    """Publish the dataset. Writing the same manifest again changes nothing.

    Raises ManifestError when a shard it lists is not there with its size, or when another manifest is there already.
    """
    path = Path(out_dir) / MANIFEST_NAME
    for shard in manifest.shards:
        problem = size_problem(Path(out_dir), shard)
        if problem:
            raise ManifestError(f"{path}: not written: {shard.path}: {problem}")
    data = manifest_bytes(manifest)
    try:
        write_atomically(path, data, replace=False)
    except FileExistsError:
        if path.read_bytes() != data:
            raise ManifestError(
                f"{path}: a different manifest is there already; a published dataset is never changed in place: "
                "choose another output folder, or delete this one"
            ) from None
    log.info("wrote %s: %d shards, %d rows", path, len(manifest.shards), manifest.counts.rows)
    return path


def read_manifest(out_dir: Path) -> Manifest:
    """Read and check the manifest of a dataset; ManifestError when it is missing, malformed or of a newer schema."""
    path = Path(out_dir) / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ManifestError(f"{path}: larger than {MAX_MANIFEST_BYTES} bytes: not a manifest of ours")
        manifest = from_json(Manifest, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"{path}: no manifest: the build has not finished; run the same build again") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error
    except ContractError as error:
        raise ManifestError(f"{path}: {error}; the file was changed or is not ours: build anew") from None
    if manifest.schema_version.split(".")[0] != FGMCAPS_SCHEMA_VERSION.split(".")[0]:
        raise ManifestError(
            f"{path}: schema version {manifest.schema_version}, this program reads {FGMCAPS_SCHEMA_VERSION}: "
            "use the program version that wrote it, or build anew"
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
    folder = Path(out_dir).resolve()
    path = (folder / shard.path).resolve()
    if not path.is_relative_to(folder):
        return "its path leaves the dataset's folder"
    try:
        size = path.stat().st_size
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    return "" if size == shard.bytes else f"the file has {size} bytes, the manifest says {shard.bytes}"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in lower-case hex, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def check_fingerprint(out_dir: Path, fingerprint: str, config: dict[str, Any]) -> None:
    """Raise FingerprintMismatchError when ``out_dir`` holds a finished dataset made with something else.

    The message names the settings that differ; equal settings mean that a tool's version differs.
    """
    manifest = read_manifest(out_dir)
    if manifest.fingerprint == fingerprint:
        return
    changes = [
        f"{name}: {before} there, {now} now"
        for name, before, now in differences(manifest.config, json.loads(json.dumps(config)))
    ]
    what = "; ".join(changes[:8]) + (f"; and {len(changes) - 8} more" if len(changes) > 8 else "")
    raise FingerprintMismatchError(
        f"{Path(out_dir)}: holds a dataset built otherwise ({what or 'same settings, other tool versions'}); "
        "choose another output folder, or delete this one"
    )


def differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    """``(dotted name, value before, value now)`` of every leaf that differs between two JSON-able values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            yield from differences(before.get(key), now.get(key), f"{name}.{key}" if name else str(key))
    elif before != now:
        yield name, json.dumps(before), json.dumps(now)
