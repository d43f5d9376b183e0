"""Check a finished dataset from end to end: ``fgmcaps validate``.

Trusts nothing but the manifest's list of shards, and checks that too. One pass over the shards, in bounded memory (it
keeps one split name for every track and artist, to find leaks). Says what is wrong and where; repairs nothing.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgmcaps.common.one_line import has_control
from fgmcaps.common.safe_paths import path_problem
from fgmcaps.common.yaml_text import read_front_matter
from fgmcaps.pipeline.dataset.card import CARD_NAME, split_sizes
from fgmcaps.pipeline.dataset.coverage import fusion_of
from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME, ManifestError, read_manifest, verify_shards
from fgmcaps.pipeline.dataset.read import ShardError, iter_shard, open_shard
from fgmcaps.pipeline.dataset.shards import DATA_FOLDER, SHARDS_FOLDER, parse_shard_name, shards_folder
from fgmcaps.pipeline.validation.audio_rules import WITHHELD_FLAG, audio_policy, audio_problems
from fgmcaps.pipeline.validation.fused_rules import fused_problems
from fgmcaps.pipeline.validation.problem import Problem, Problems
from fgmcaps.pipeline.validation.row_rules import FIRST_RULES, IMPORTED, row_problems
from fgmcaps.schemas import Manifest, ShardFile
from fgmcaps.schemas.arrow import SCHEMA_VERSION_KEY, columns_of, schema_of
from fgmcaps.schemas.ids import leak_group, parse_clip_id, shard_of

log = logging.getLogger(__name__)


def validate(
    path: Path,
    *,
    audio_every: int = 1,
    notes: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Problem]:
    """All problems of the dataset in ``path``; an empty list means that it is sound.

    What was left unchecked on purpose is appended to ``notes``, a sentence each. ``progress`` is told how many rows of
    how many are checked.

    ``audio_every=n`` decodes the audio of about one row in n, chosen by a hash of the id (1: all, 0: none).
    At most 100 problems of each rule are listed, with the number of the others.
    """
    if audio_every < 0:
        raise ValueError(f"audio_every must be 0 or more, got {audio_every}")
    out_dir, problems = Path(path), Problems()
    try:
        manifest = read_manifest(out_dir)
    except ManifestError as error:
        problems.add(MANIFEST_NAME, None, "manifest", str(error))
        return problems.done()
    damaged = set()
    for shard, message in verify_shards(out_dir, manifest):
        problems.add(shard.path, None, "checksum", message)
        damaged.add(shard.path)
    _check_names(out_dir, manifest, problems)
    _check_counts(manifest, problems)
    _check_failures(out_dir, manifest, problems)
    _check_card(out_dir, manifest, problems)
    filter_ = fusion_of(manifest)
    seen = _Seen(
        recalibrated=bool(filter_ and (filter_.calibration or filter_.meters)),
        report=progress or (lambda done, total: None),
        total=sum(max(0, s.rows) for s in manifest.shards),
    )
    for shard in manifest.shards:
        try:
            _check_shard(out_dir, shard, manifest, seen, problems, audio_every)
        except ShardError as error:
            problems.add(shard.path, None, "parquet", str(error))
    if notes is not None and seen.imported:
        notes.append(f"{seen.imported} of {seen.rows} captions are imported: not compared with the facts of their rows")
    log.info("validated %s: %d rows, %d with decoded audio", out_dir, seen.rows, seen.decoded)
    return problems.done()


def summary(problems: Iterable[Problem]) -> dict[str, int]:
    """Problems by rule, most frequent first."""
    tally = Counter(problem.rule for problem in problems)
    return dict(sorted(tally.items(), key=lambda item: (-item[1], item[0])))


@dataclass(slots=True)
class _Seen:
    """What is remembered from row to row."""

    report: Callable[[int, int], None]
    total: int
    recalibrated: bool = False
    rows: int = 0
    imported: int = 0
    decoded: int = 0
    policy: str | None = None
    split_of_track: dict[str, str] = field(default_factory=dict)
    split_of_artist: dict[bytes, str] = field(default_factory=dict)


def _check_names(out_dir: Path, manifest: Manifest, problems: Problems) -> None:
    """The manifest lists whole sets of well-named shards, and the data folder holds nothing else.

    ``load_dataset`` reads the folder by a pattern, so that a stray file would become rows.
    """
    sets: dict[tuple[str, int], list[int]] = {}
    for shard in manifest.shards:
        folder, _, name = shard.path.rpartition("/")
        try:
            split, index, total = parse_shard_name(name)
        except ValueError as error:
            problems.add(shard.path, None, "shard-name", str(error))
            continue
        one_folder = folder == shards_folder(manifest.shards) and SHARDS_FOLDER.fullmatch(folder)
        if not one_folder or split != shard.split:
            problems.add(shard.path, None, "shard-name", f"listed as split {shard.split!r} in folder {folder!r}")
        sets.setdefault((split, total), []).append(index)
    for (split, total), indices in sets.items():
        if sorted(indices) != list(range(total)):
            problems.add(MANIFEST_NAME, None, "shard-set", f"split {split}: shards {sorted(indices)} of {total}")
    for split in {split for split, _ in sets}:
        totals = sorted(total for name, total in sets if name == split)
        if len(totals) > 1:
            problems.add(MANIFEST_NAME, None, "shard-set", f"split {split}: shard totals {totals}; one build has one")
    listed = {shard.path for shard in manifest.shards}
    folder_path = out_dir / DATA_FOLDER
    for found in sorted(folder_path.rglob("*")) if folder_path.is_dir() else []:
        name = found.relative_to(out_dir).as_posix()
        if not found.is_dir() and name not in listed:
            problems.add(name, None, "unlisted-file", "not in the manifest; delete it, or its rows will be read")


def _check_counts(manifest: Manifest, problems: Problems) -> None:
    """Promise 1: nothing lost, nothing invented."""
    counts = manifest.counts
    listed = sum(shard.rows for shard in manifest.shards)
    for ok, message in (
        (
            counts.clips_found == counts.rows + counts.failed + counts.filtered,
            f"{counts.clips_found} clips found, but {counts.rows} rows + {counts.failed} failed + {counts.filtered} "
            "filtered",
        ),
        (
            counts.files == counts.tracks + counts.duplicates,
            f"{counts.files} files, but {counts.tracks} tracks + {counts.duplicates} duplicates",
        ),
        (counts.rows == listed, f"{counts.rows} rows counted, but the listed shards have {listed}"),
        (counts.failed == sum(counts.failed_by_reason.values()), "failed_by_reason does not add up to failed"),
        (counts.filtered == sum(counts.filtered_by_reason.values()), "filtered_by_reason does not add up to filtered"),
    ):
        if not ok:
            problems.add(MANIFEST_NAME, None, "counts", message)


def _check_failures(out_dir: Path, manifest: Manifest, problems: Problems) -> None:
    """As many dead letters on disk as the manifest counts, for the same reasons."""
    found: dict[str, Counter[str]] = {"failed": Counter(), "filtered": Counter()}
    try:
        for letter in read_failures(out_dir):
            found[letter.kind][letter.reason] += 1
    except (ValueError, OSError) as error:
        problems.add("failures", None, "failures", str(error))
        return
    counts = manifest.counts
    for kind, expected in (("failed", counts.failed_by_reason), ("filtered", counts.filtered_by_reason)):
        if dict(found[kind]) != {reason: count for reason, count in expected.items() if count}:
            problems.add(
                f"failures/{kind}.jsonl", None, "failures", f"holds {dict(found[kind])}, the manifest counts {expected}"
            )


def _check_card(out_dir: Path, manifest: Manifest, problems: Problems) -> None:
    """The card is there and names the splits and their sizes, which ``load_dataset`` believes."""
    path = out_dir / CARD_NAME
    try:
        data = read_front_matter(path)
        infos = data["dataset_info"] if isinstance(data["dataset_info"], list) else [data["dataset_info"]]
        declared = [{split["name"]: split["num_examples"] for split in info["splits"]} for info in infos]
        configured = [sorted(entry["split"] for entry in config["data_files"]) for config in data["configs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.add(CARD_NAME, None, "card", f"missing or without dataset_info and configs: {error!r}; write it again")
        return
    try:
        actual = {name: rows for name, (rows, _) in split_sizes(out_dir, manifest).items()}
    except (OSError, ValueError):
        return  # a damaged shard, which has its own problem
    if any(splits != actual for splits in declared) or any(splits != sorted(actual) for splits in configured):
        message = f"declares {declared} and files of {configured}, but the shards hold {actual}"
        problems.add(CARD_NAME, None, "card", message)


def _check_schema(out_dir: Path, shard: ShardFile, manifest: Manifest, problems: Problems) -> bool:
    """Columns, types and metadata are those of this program's schema. False when the rows cannot be read by it."""
    expected = schema_of(manifest)
    with open_shard(out_dir, shard) as file:
        actual, rows = file.schema_arrow, file.metadata.num_rows
    if rows != shard.rows:
        problems.add(shard.path, None, "row-count", f"{rows} rows, the manifest says {shard.rows}")
    same = bool(actual.names == expected.names and actual.types == expected.types)
    if not same:
        missing = sorted(set(expected.names) - set(actual.names))
        unknown = sorted(set(actual.names) - set(expected.names))
        changed = sorted(
            name
            for name in set(expected.names) & set(actual.names)
            if actual.field(name).type != expected.field(name).type
        )
        problems.add(
            shard.path, None, "schema", f"missing columns {missing}, unknown columns {unknown}, other types {changed}"
        )
    found, wanted = actual.metadata or {}, expected.metadata
    if found.get(SCHEMA_VERSION_KEY) != wanted[SCHEMA_VERSION_KEY]:
        version = found.get(SCHEMA_VERSION_KEY, b"none").decode("utf-8", "replace")
        problems.add(
            shard.path, None, "schema-version", f"version {version}, expected {wanted[SCHEMA_VERSION_KEY].decode()}"
        )
    try:
        features = json.loads(found.get(b"huggingface", b"null"))
    except ValueError:
        features = None
    if features != json.loads(wanted[b"huggingface"]):
        problems.add(shard.path, None, "schema", "the `huggingface` features in its metadata are not the schema's")
    return same


def _check_shard(
    out_dir: Path, shard: ShardFile, manifest: Manifest, seen: _Seen, problems: Problems, audio_every: int
) -> None:
    if not _check_schema(out_dir, shard, manifest, problems):
        return
    kept = manifest.kept_columns
    names = [column.name for column in columns_of(manifest)]
    columns = names if audio_every else [name for name in names if name != "audio"]
    tools = {(tool.name, tool.version, tool.licence) for tool in manifest.tools}
    last = ""
    for row in iter_shard(out_dir, shard, columns):
        seen.rows += 1
        if seen.rows % 16 == 0 or seen.rows == seen.total:
            seen.report(min(seen.rows, seen.total), seen.total)
        seen.imported += row["caption_source"] == IMPORTED
        name = row["id"]
        found = list(row_problems(row))
        for rule, message in found:
            problems.add(shard.path, name, rule, message)
        sound = not any(rule in FIRST_RULES for rule, _ in found)
        for message in fused_problems(row, recalibrated=seen.recalibrated) if sound else ():
            problems.add(shard.path, name, "fused", message)
        for column in kept:
            if row[column] is not None and has_control(row[column]):
                problems.add(shard.path, name, "text", f"{column} holds a control character")
        if name is None:
            continue
        if name <= last:
            problems.add(shard.path, name, "id-order", f"after {last}: ids must ascend, each once")
        last = name
        _check_place(shard, row, problems)
        _check_leak(shard, row, seen, problems)
        for tool in row["annotators"] or ():
            if tool is not None and (tool["name"], tool["version"], tool["licence"]) not in tools:
                problems.add(shard.path, name, "provenance", f"annotator {tool['name']} is not the manifest's")
        if audio_every:
            _check_audio(shard, row, seen, problems, audio_every)


def _check_place(shard: ShardFile, row: dict[str, Any], problems: Problems) -> None:
    """The row is in the split and in the shard that its id decides."""
    if row["split"] != shard.split:
        problems.add(shard.path, row["id"], "split", f"split is {row['split']!r} in a shard of {shard.split!r}")
    try:
        _, index, total = parse_shard_name(shard.path.rpartition("/")[2])
        parse_clip_id(row["id"])
    except ValueError:
        return  # other rules report it
    if shard_of(row["id"], total) != index:
        problems.add(shard.path, row["id"], "placement", f"belongs in shard {shard_of(row['id'], total)} of {total}")


def _check_leak(shard: ShardFile, row: dict[str, Any], seen: _Seen, problems: Problems) -> None:
    """Promise 9, with the same groups that splits are made from."""
    if row["track_id"] is None:
        return
    first = seen.split_of_track.setdefault(row["track_id"], shard.split)
    if first != shard.split:
        problems.add(shard.path, row["id"], "leak-track", f"track {row['track_id']} is also in split {first}")
    group = leak_group(row["track_id"], row["artist"])
    if group.startswith("artist:"):
        key = hashlib.blake2b(group.encode("utf-8"), digest_size=16).digest()
        first = seen.split_of_artist.setdefault(key, shard.split)
        if first != shard.split:
            problems.add(shard.path, row["id"], "leak-artist", f"artist {row['artist']!r} is also in split {first}")


def _check_audio(shard: ShardFile, row: dict[str, Any], seen: _Seen, problems: Problems, audio_every: int) -> None:
    policy = audio_policy(row["audio"])
    name = None if row["audio"] is None else row["audio"]["path"]
    problem = None if name is None else path_problem(name)
    if problem is not None:
        problems.add(shard.path, row["id"], "path", f"audio.path {name!r} {problem}")
    if WITHHELD_FLAG in row["qc_flags"]:
        if policy != "none":
            problems.add(shard.path, row["id"], "audio", f"is flagged {WITHHELD_FLAG} but has audio ({policy})")
        return
    if seen.policy is None:
        seen.policy = policy
    elif policy != seen.policy:
        problems.add(shard.path, row["id"], "audio", f"audio policy {policy}, earlier rows have {seen.policy}")
    chosen = int.from_bytes(hashlib.blake2b(row["id"].encode("utf-8"), digest_size=8).digest(), "big")
    if row["duration_s"] is None or chosen % audio_every:
        return
    seen.decoded += policy == "embed"
    for message in audio_problems(row["audio"], row["duration_s"]):
        problems.add(shard.path, row["id"], "audio", message)
