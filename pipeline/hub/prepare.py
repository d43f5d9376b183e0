"""Lay out what a push sends, in a staging folder beside the dataset: the repository's files, whole and final.

Nothing here talks to the Hub. Shards that may leave as they are become links; a shard with a row whose audio must stay
behind is rewritten without that audio. Equal datasets and settings give equal bytes, so that an unchanged dataset
makes no commit.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.dataset.card import (
    CARD_NAME,
    Configuration,
    PublishedCard,
    card_text,
    hub_licence,
    shard_configuration,
    split_sizes,
)
from fgmcaps.pipeline.dataset.coverage import coverage
from fgmcaps.pipeline.dataset.facts_stated import COLUMNS as FACT_COLUMNS
from fgmcaps.pipeline.dataset.facts_stated import left_out, states_too_little
from fgmcaps.pipeline.dataset.failures import (
    DUPLICATES_NAME,
    FAILURES_FOLDER,
    KINDS,
    read_duplicates,
    read_failures,
    write_duplicates,
    write_failures,
)
from fgmcaps.pipeline.dataset.manifest import (
    MANIFEST_NAME,
    ManifestError,
    manifest_bytes,
    read_manifest,
    size_problem,
)
from fgmcaps.pipeline.dataset.read import BATCH_ROWS, ShardError, iter_rows, iter_shard, open_shard
from fgmcaps.pipeline.dataset.shards import DATA_FOLDER, parse_shard_name, write_shard
from fgmcaps.pipeline.dataset.stats import Stats, stats_of_rows
from fgmcaps.pipeline.hub.croissant import croissant_bytes
from fgmcaps.pipeline.hub.metadata_files import MetadataWriter, metadata_features, metadata_schema
from fgmcaps.pipeline.hub.plots import draw_plots
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.hub.publication import (
    CROISSANT_NAME,
    METADATA_CONFIG,
    METADATA_FOLDER,
    PLOTS_FOLDER,
    PUBLICATION_NAME,
    AudioMode,
    LocalFile,
    Publication,
    PublishedFile,
    publication_bytes,
)
from fgmcaps.pipeline.licences.policy import decide
from fgmcaps.pipeline.validation.audio_rules import WITHHELD_FLAG
from fgmcaps.schemas import Counts, DeadLetter, Manifest, ShardFile
from fgmcaps.schemas.arrow import schema_of

CHECKERS = 4
NOT_PUBLISHED = "nothing was published: build the dataset again"


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """What decides the bytes of a publication. ``audio`` None: with audio where the dataset embeds it."""

    repo_id: str
    url: str
    config_name: str = "default"
    audio: AudioMode | None = None
    assumed_licence: str | None = None
    min_facts: int = 1
    """Rows whose captions state fewer facts are left out."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A publication that is ready to be sent; ``left_out``: rows whose captions state too little."""

    publication: Publication
    files: tuple[LocalFile, ...]
    left_out: int = 0


def verified(out: Path, shards: Sequence[ShardFile]) -> Iterator[ShardFile]:
    """The shards in order, each as soon as its file is found to have the listed size and SHA-256, else FgmcapsError.

    Later ones are hashed meanwhile, so that the first is uploaded at once.
    """
    with ThreadPoolExecutor(CHECKERS) as pool:  # hashing releases the interpreter's lock
        try:
            for shard, problem in zip(shards, pool.map(partial(_problem, out), shards), strict=True):
                if problem:
                    raise FgmcapsError(f"{out / shard.path}: {problem}; {NOT_PUBLISHED}")
                yield shard
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _problem(out: Path, shard: ShardFile) -> str:
    """What is wrong with a listed shard: its name, size or bytes; empty when nothing is."""
    try:
        parse_shard_name(Path(shard.path).name)
    except ValueError as error:
        return str(error)
    problem = size_problem(out, shard)
    if not problem and sha256_of(out / shard.path) != shard.sha256:
        problem = "its SHA-256 is not the manifest's: the file was changed or damaged"
    return problem


def prepare(
    out: Path,
    staging: Path,
    settings: PublishSettings,
    progress: TransferProgress,
    on_shard: Callable[[LocalFile], None] | None = None,
) -> Prepared:
    """Fill ``staging`` (an empty folder on the same disk) with the publication of the dataset in ``out``.

    ``on_shard`` is called with every shard as soon as it has been verified and its file is final.

    Raises FgmcapsError when the dataset is unfinished, damaged, or lacks the audio that was asked for.
    """
    try:
        manifest = read_manifest(out)
    except ManifestError as error:
        raise FgmcapsError(str(error)) from None
    try:
        audio = _audio_mode(out, manifest, settings)
        return _prepare(out, staging, replace(settings, audio=audio), manifest, progress, on_shard)
    except ShardError as error:
        raise FgmcapsError(f"{error}; {NOT_PUBLISHED}") from None


def _prepare(
    out: Path,
    staging: Path,
    settings: PublishSettings,
    manifest: Manifest,
    progress: TransferProgress,
    on_shard: Callable[[LocalFile], None] | None,
) -> Prepared:
    progress.stage("Preparing", sum(shard.bytes for shard in manifest.shards))
    shards, letters = [], list[DeadLetter]()
    for shard in verified(out, manifest.shards):
        placed = _place_shard(out, staging, shard, schema_of(manifest), settings, letters)
        shards.append(placed)
        if on_shard is not None:
            on_shard(LocalFile(PublishedFile(placed.path, placed.bytes, placed.sha256), staging / placed.path))
        progress.advance(shard.bytes)
    manifest = replace(manifest, shards=tuple(shards), counts=_without(manifest.counts, letters))
    tally = _Tally()
    with MetadataWriter(staging, manifest) as writer:
        stats = stats_of_rows(manifest, _published_rows(staging, manifest, settings, writer, tally))
    (staging / MANIFEST_NAME).write_bytes(manifest_bytes(manifest))
    _copy_failures(out, staging, letters)
    plots = draw_plots(stats)
    (staging / PLOTS_FOLDER).mkdir()
    for name, (_, data) in plots.items():
        (staging / PLOTS_FOLDER / name).write_bytes(data)
    card = PublishedCard(
        repo_id=settings.repo_id,
        configurations=_configurations(staging, manifest, settings),
        audio_rows=tally.audio,
        withheld=dict(sorted(tally.withheld.items())),
        assumed_licence=settings.assumed_licence,
        plots=tuple((f"{PLOTS_FOLDER}/{name}", title) for name, (title, _) in plots.items()),
        citation=citation(settings),
    )
    _write_descriptions(staging, manifest, stats, card, settings)
    assert settings.audio is not None
    publication = Publication(
        schema_version=manifest.schema_version,
        config_name=settings.config_name,
        audio=settings.audio,
        assumed_licence=settings.assumed_licence,
        rows=stats.rows,
        audio_rows=tally.audio,
        withheld=card.withheld,
        files=tuple(_published_files(staging, manifest)),
    )
    (staging / PUBLICATION_NAME).write_bytes(publication_bytes(publication))
    path = staging / PUBLICATION_NAME
    own = PublishedFile(PUBLICATION_NAME, path.stat().st_size, sha256_of(path))
    return Prepared(
        publication, tuple(LocalFile(file, staging / file.path) for file in (*publication.files, own)), len(letters)
    )


def citation(settings: PublishSettings) -> str:
    """BibTeX of the dataset and of the method."""
    name = settings.repo_id.rpartition("/")[2]
    key = "".join(letter for letter in name.lower() if letter.isalnum()) or "dataset"
    return (
        f"@misc{{{key},\n  title = {{{name}: music captions built with FGMCaps}},\n"
        f"  howpublished = {{\\url{{{settings.url}}}}}\n}}\n\n"
        "@misc{figma2026,\n  title = {{FIGMA}: Towards Fine-Grained Music Retrieval},\n  year = {2026},\n"
        "  eprint = {2606.06615},\n  archivePrefix = {arXiv},\n  note = {ACL 2026}\n}"
    )


@dataclass(slots=True)
class _Tally:
    """Rows that leave with audio, and rows whose audio stays behind, by licence."""

    audio: int
    withheld: Counter[str]

    def __init__(self) -> None:
        self.audio, self.withheld = 0, Counter()


def _audio_mode(out: Path, manifest: Manifest, settings: PublishSettings) -> AudioMode:
    """Embedded audio or none; a path into the publisher's folders is of no use to a reader."""
    if settings.audio == "none":
        return "none"
    for shard in manifest.shards:
        for row in iter_shard(out, shard, ("audio", "qc_flags")):
            if WITHHELD_FLAG in (row["qc_flags"] or ()):
                continue
            if row["audio"] is not None and row["audio"]["bytes"] is not None:
                return "embed"
            if settings.audio == "embed":
                raise FgmcapsError(
                    f"{out}: row without embedded audio in {shard.path}; push with --audio none, or build with "
                    "--audio embed"
                )
            return "none"
    return settings.audio or "none"


def _place_shard(
    out: Path, staging: Path, shard: ShardFile, schema: pa.Schema, settings: PublishSettings, letters: list[DeadLetter]
) -> ShardFile:
    """Link the shard into the staging folder, or rewrite it without the audio and the rows that must not leave.

    A row that is left out is one more of ``letters``.

    It goes into ``data`` itself, even where the dataset has it in a folder below: a commit replaces all at once.
    """
    if not _must_rewrite(out, shard, settings):
        placed = shard.in_folder(DATA_FOLDER)
        target = staging / placed.path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = (out / shard.path).resolve()
        try:
            os.link(source, target)
        except OSError:  # a file system without hard links
            target.symlink_to(source)
        return placed
    split, index, total = parse_shard_name(Path(shard.path).name)
    return write_shard(staging, split, index, total, _cleared(out, shard, schema.names, settings, letters), schema)


def _must_rewrite(out: Path, shard: ShardFile, settings: PublishSettings) -> bool:
    """True when a row of the shard must not leave as it is. Audio is read only where a licence forbids."""
    if any(states_too_little(row, settings.min_facts) for row in iter_shard(out, shard, FACT_COLUMNS)):
        return True
    if settings.audio == "embed":
        rows = iter_shard(out, shard, ("licence",))
        if all(decide(row["licence"], settings.assumed_licence).allowed for row in rows):
            return False
    return any(_loses_audio(row, settings) for row in iter_shard(out, shard, ("licence", "audio")))


def _loses_audio(row: dict[str, Any], settings: PublishSettings) -> bool:
    """The one place that decides which audio stays behind; a path counts as audio."""
    if row["audio"] is None or (row["audio"]["bytes"] is None and row["audio"]["path"] is None):
        return False
    return settings.audio != "embed" or not decide(row["licence"], settings.assumed_licence).allowed


def _cleared(
    out: Path, shard: ShardFile, columns: Sequence[str], settings: PublishSettings, letters: list[DeadLetter]
) -> Iterator[dict[str, Any]]:
    for row in iter_shard(out, shard, columns):
        if states_too_little(row, settings.min_facts):
            letters.append(left_out(row, settings.min_facts))
            continue
        if _loses_audio(row, settings):
            flags = list(row["qc_flags"] or ())
            if settings.audio == "embed" and WITHHELD_FLAG not in flags:
                flags.append(WITHHELD_FLAG)
            yield {**row, "audio": None, "qc_flags": flags}
        else:
            yield row


def _published_rows(
    staging: Path, manifest: Manifest, settings: PublishSettings, writer: MetadataWriter, tally: _Tally
) -> Iterator[dict[str, Any]]:
    """All rows as they leave, without audio; on the way each goes into the metadata files and the tally."""
    names = metadata_schema(manifest).names
    for shard in manifest.shards:
        with open_shard(staging, shard) as file:
            try:
                batches = file.iter_batches(BATCH_ROWS, columns=names, use_threads=False)
                for batch in batches:
                    writer.add(shard.split, batch)
                    for row in batch.to_pylist():
                        if settings.audio == "embed":
                            if WITHHELD_FLAG in (row["qc_flags"] or ()):
                                tally.withheld[row["licence"] or ""] += 1
                            else:
                                tally.audio += 1
                        yield row
            except (OSError, pa.ArrowException, UnicodeDecodeError, KeyError) as error:
                raise ShardError(f"{shard.path}: cannot be read: {error}") from error


def _configurations(staging: Path, manifest: Manifest, settings: PublishSettings) -> tuple[Configuration, ...]:
    sizes = split_sizes(staging, manifest)
    files = {split: staging / METADATA_FOLDER / f"{split}.parquet" for split in sizes}
    metadata = Configuration(
        name=METADATA_CONFIG,
        folder=METADATA_FOLDER,
        features=metadata_features(manifest),
        files={split: f"{METADATA_FOLDER}/{split}.parquet" for split in sizes},
        sizes={split: (sizes[split][0], _uncompressed_bytes(path)) for split, path in files.items()},
        download_bytes=sum(path.stat().st_size for path in files.values()),
        about="the same rows, all columns but the audio",
        default=settings.audio == "none",
    )
    if settings.audio == "none":
        return (metadata,)
    return (shard_configuration(manifest, sizes, settings.config_name, default=True), metadata)


def _uncompressed_bytes(path: Path) -> int:
    footer = pq.read_metadata(path)
    return sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))


def _write_descriptions(
    staging: Path, manifest: Manifest, stats: Stats, card: PublishedCard, settings: PublishSettings
) -> None:
    """The card and ``croissant.json``."""
    row = next((row for _, row in iter_rows(staging, manifest)), None)
    text = card_text(
        manifest, stats, split_sizes(staging, manifest), row, published=card, kept=coverage(staging, manifest)
    )
    (staging / CARD_NAME).write_bytes(text.encode("utf-8"))
    licence = hub_licence(stats)["license"]
    (staging / CROISSANT_NAME).write_bytes(
        croissant_bytes(
            manifest,
            card.configurations,
            repo_id=settings.repo_id,
            url=settings.url,
            description=f"{stats.rows} clips of music with checked captions of tempo, meter, key and chords.",
            licence=licence if licence != "other" else f"{settings.url}#licences",
            citation=card.citation,
        )
    )


def _without(counts: Counts, letters: Sequence[DeadLetter]) -> Counts:
    """The counts of a dataset of which rows were left out."""
    if not letters:
        return counts
    reasons = Counter(counts.filtered_by_reason) + Counter(letter.reason for letter in letters)
    return replace(
        counts,
        rows=counts.rows - len(letters),
        filtered=counts.filtered + len(letters),
        filtered_by_reason=dict(sorted(reasons.items())),
    )


def _copy_failures(out: Path, staging: Path, letters: Sequence[DeadLetter]) -> None:
    if letters:
        write_failures(staging, [*read_failures(out), *letters])
        write_duplicates(staging, read_duplicates(out))
        return
    for name in (*(f"{kind}.jsonl" for kind in KINDS), DUPLICATES_NAME):
        source = out / FAILURES_FOLDER / name
        if source.is_file():
            (staging / FAILURES_FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(source, staging / FAILURES_FOLDER / source.name)


def _published_files(staging: Path, manifest: Manifest) -> Iterator[PublishedFile]:
    """Every file of the staging folder with its checksum; those of shards are known already."""
    known = {shard.path: shard for shard in manifest.shards}
    for path in sorted(staging.rglob("*")):
        name = path.relative_to(staging).as_posix()
        if path.is_file():
            shard = known.get(name)
            yield PublishedFile(
                name,
                shard.bytes if shard else path.stat().st_size,
                shard.sha256 if shard else sha256_of(path),
            )
