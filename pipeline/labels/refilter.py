"""``fgmcaps refilter``: another confidence filter over a finished dataset, from its shards alone.

Labels, captions, card and manifest follow; nothing is decoded or annotated, and no LLM is asked. The new version takes
the place of the old one all or nothing (:mod:`fgmcaps.pipeline.dataset.swap`).
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fgmcaps.annotators.fusion.fusion_model import check_fusion, filter_table, load_model
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import folder_lock
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.common.set_option import read_pairs
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.dataset.coverage import fusion_of, with_precision
from fgmcaps.pipeline.dataset.failures import read_duplicates, read_failures
from fgmcaps.pipeline.dataset.label_cells import caption_cells, label_cells
from fgmcaps.pipeline.dataset.manifest import read_manifest, verify_shards
from fgmcaps.pipeline.dataset.read import facts_of_row, iter_shard
from fgmcaps.pipeline.dataset.shards import parse_shard_name, write_shard
from fgmcaps.pipeline.dataset.swap import describe, folder_for, swap_in
from fgmcaps.pipeline.labels.use_calibration import with_file
from fgmcaps.pipeline.report import REPORT_NAME, write_report
from fgmcaps.schemas import Fused, Manifest, ShardFile, TrackMetadata, facts_of, from_dict
from fgmcaps.schemas.arrow import schema_of

STAGING = ".fgmcaps-refilter"
ATTRIBUTES = ("tempo", "meter", "downbeats", "key", "chords")
_LABELS = ("tempo_bpm", "time_signature", "key", "chords", "downbeats")
_AUDIO = "audio:"


@dataclass(slots=True)
class Refiltered:
    """What was done: rows, rows whose labels changed, LLM captions that gave way to the template's, and the filter."""

    rows: int = 0
    changed: int = 0
    llm_captions_replaced: int = 0
    precision: dict[str, float] = field(default_factory=dict)


def refilter(
    out: Path,
    precision: Mapping[str, float],
    calibration: Path | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Refiltered:
    """Give the dataset in ``out`` the labels that pass the filter with ``precision`` by attribute.

    ``calibration``: a file of ``fgmcaps calibrate``. Attributes that are not named keep theirs. A caption whose facts
    change is the template's; the others stay. With the filter that the labels passed already, nothing is done. Raises
    FgmcapsError (labels without probabilities, an unknown attribute, a precision that the model does not reach),
    InvalidDataError (damaged shards).
    """
    manifest = read_manifest(out)
    before = _settings(out, manifest)
    after = with_precision(before, _checked(precision))
    if calibration is not None:
        after = with_file(after, calibration)
    try:
        check_fusion(after, load_model(before.model).tools)
    except ValueError as error:
        raise FgmcapsError(f"--precision: {error}") from None
    done = Refiltered(manifest.counts.rows, precision={name: getattr(after, name).precision for name in ATTRIBUTES})
    if after == before:
        return done
    build = OutputFolder(out)
    with folder_lock(out, "refiltering"), build.locked() if build.work.is_dir() else nullcontext():
        if read_manifest(out) != manifest:
            raise FgmcapsError(f"{out}: another command has just changed it; run the same command again")
        _write(out, manifest, after, done, progress)
    if (out / REPORT_NAME).exists():
        write_report(out)
    return done


def _write(
    out: Path,
    manifest: Manifest,
    settings: FusionSettings,
    done: Refiltered,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write the new version beside the old one and swap it in."""
    for shard, problem in verify_shards(out, manifest):
        raise InvalidDataError(f"{out / shard.path}: {problem}; `fgmcaps validate {out}` gives details")
    staging = out / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        shards = []
        for shard in manifest.shards:
            split, index, total = parse_shard_name(Path(shard.path).name)
            rows = _rows(out, shard, manifest, settings, done, progress)
            shards.append(write_shard(staging, split, index, total, rows, schema_of(manifest)))
        new = _manifest(manifest, settings, tuple(shards))
        letters, duplicates = tuple(read_failures(out)), tuple(read_duplicates(out))
        swap_in(out, staging, describe(staging, new, folder_for(out, new.shards), letters, duplicates))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def precision_of(texts: Sequence[str]) -> dict[str, float]:
    """Precisions by attribute of texts such as ``key=0.8 tempo=0.9`` and ``all=0.98``. Raises FgmcapsError."""
    found: dict[str, float] = {}
    for name, value in read_pairs([pair for text in texts for pair in text.split()], "--precision").items():
        found |= dict.fromkeys(ATTRIBUTES, value) if name == "all" else {name: value}
    return _checked(found)


def refiltered_row(
    row: Mapping[str, Any], settings: FusionSettings, seed: int, styles: Sequence[str]
) -> dict[str, Any]:
    """A row with the labels that pass the filter, and the template's caption where its facts changed."""
    if row["fused"] is None:
        return dict(row)
    labels = keep(from_dict(Fused, row["fused"]), settings)
    metadata = TrackMetadata(genre=tuple(row["genre"] or ()), mood=tuple(row["mood"] or ()))
    about_audio = [flag for flag in row["qc_flags"] or () if flag.startswith(_AUDIO)]
    new = {**row, **label_cells(labels, metadata, about_audio)}
    facts = facts_of(labels, metadata)
    if facts != facts_of_row(row):
        new |= caption_cells(write_caption(TemplateEngine(seed=seed), row["id"], facts, styles))
    return new


def _rows(
    out: Path,
    shard: ShardFile,
    manifest: Manifest,
    settings: FusionSettings,
    done: Refiltered,
    progress: Callable[[int, int], None] | None,
) -> Iterator[dict[str, Any]]:
    given, names = manifest.config.get("seed"), schema_of(manifest).names
    seed = given if isinstance(given, int) else 0
    before = sum(other.rows for other in manifest.shards[: manifest.shards.index(shard)])
    for seen, row in enumerate(iter_shard(out, shard, names), start=1):
        styles = [row["caption_style"], *(extra["style"] for extra in row["captions"])]
        try:
            new = refiltered_row(row, settings, seed, styles)
        except ValueError as error:  # a value that no fusion of ours gives, a style that we do not have
            raise InvalidDataError(
                f"{shard.path}: row {row['id']}: {error}; `fgmcaps validate` gives details"
            ) from None
        done.changed += any(new[name] != row[name] for name in _LABELS)
        done.llm_captions_replaced += row["caption_source"] == "llm" and new["caption_source"] != "llm"
        yield new
        if progress is not None and (seen % 64 == 0 or seen == shard.rows):
            progress(before + seen, manifest.counts.rows)


def _settings(out: Path, manifest: Manifest) -> FusionSettings:
    """The filter that the labels passed. Raises FgmcapsError where they cannot be filtered anew here."""
    if manifest.schema_version.split(".")[0] == "1":
        raise FgmcapsError(
            f"{out}: schema version {manifest.schema_version} holds no probabilities of withheld values; build the "
            "dataset again with this program (its journals keep what the tools estimated), then refilter"
        )
    found = fusion_of(manifest)
    if found is None:
        raise FgmcapsError(
            f"{out}: its labels have no probabilities to filter by (imported, or of a profile with fusion.recipe paper)"
        )
    try:
        now = filter_table(found)
    except ValueError as error:
        raise FgmcapsError(f"{out}: {error}; use the program version that made its labels") from None
    told = manifest.config.get("label_filter")
    if told is not None and now != told:
        raise FgmcapsError(
            f"{out}: the model {found.model!r} of this program has other thresholds than the one that made these "
            "labels; use the program version that made them, or build the dataset again"
        )
    return found


def _checked(precision: Mapping[str, float]) -> dict[str, float]:
    for name, value in precision.items():
        if name not in ATTRIBUTES:
            near = did_you_mean(name, ATTRIBUTES) or f"; there are {', '.join(ATTRIBUTES)}"
            raise FgmcapsError(f"--precision {name}={value}: no such attribute{near}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise FgmcapsError(f"--precision {name}={value}: give a share from 0 to below 1, for instance 0.9")
    return {name: float(value) for name, value in precision.items()}


def _manifest(manifest: Manifest, settings: FusionSettings, shards: tuple[ShardFile, ...]) -> Manifest:
    """The manifest of the new version; its fingerprint names the build that it is made of, the filter and the rows."""
    profile = {**manifest.config["profile_settings"], "fusion": settings.model_dump(mode="json")}
    origin = (manifest.config.get("refiltered") or {}).get("from", manifest.fingerprint)
    precision = {name: getattr(settings, name).precision for name in ATTRIBUTES}
    config = {
        **manifest.config,
        "profile_settings": profile,
        "label_filter": filter_table(settings),
        "refiltered": {"from": origin, "precision": precision},
    }
    digest = fingerprint(origin=origin, filter=profile["fusion"], shards=[shard.sha256 for shard in shards])
    return replace(manifest, fingerprint=digest, config=config, shards=shards)
