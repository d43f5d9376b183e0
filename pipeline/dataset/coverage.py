"""What a stricter or a looser confidence filter would keep of a dataset's labels, from its shards alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgmcaps.annotators.fusion.fusion_model import load_model
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.common.errors import InvalidDataError
from fgmcaps.pipeline.dataset.read import iter_shard
from fgmcaps.schemas import ContractError, Fused, Labels, Manifest, from_dict

LEVELS = (0.98, 0.95, 0.9, 0.8, 0.5)
ATTRIBUTES = ("tempo", "meter", "key", "chords")


@dataclass(slots=True)
class Coverage:
    """Rows, and for each precision asked how many keep an attribute and how many captions state 0 to 4 of the four.

    ``kept[attribute][i]`` belongs to ``LEVELS[i]``; None where the model does not reach it. ``facts[i][n]``: rows that
    would state n attributes; an attribute that does not reach the level counts as withheld. ``now``: the same of the
    labels as they are, ``asked`` of a filter that was asked for.
    """

    rows: int = 0
    kept: dict[str, list[int | None]] = field(default_factory=lambda: {name: [0] * len(LEVELS) for name in ATTRIBUTES})
    facts: list[list[int]] = field(default_factory=lambda: [[0] * 5 for _ in LEVELS])
    now_kept: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ATTRIBUTES, 0))
    now_facts: list[int] = field(default_factory=lambda: [0] * 5)
    asked: tuple[dict[str, int], list[int]] | None = None


def fusion_of(manifest: Manifest) -> FusionSettings | None:
    """The filter that the labels of a dataset passed; None where they have no probabilities to filter by."""
    if manifest.schema_version.split(".")[0] == "1":
        return None
    try:
        settings = FusionSettings(**manifest.config["profile_settings"]["fusion"])
        if settings.recipe != "calibrated":
            return None
        load_model(settings.model)
    except (KeyError, TypeError, ValueError):  # ValueError: settings or a model of another program
        return None
    return settings


def with_precision(settings: FusionSettings, precision: Mapping[str, float]) -> FusionSettings:
    """The same settings with other precisions by attribute."""
    changed = {
        name: getattr(settings, name).model_copy(update={"precision": value}) for name, value in precision.items()
    }
    return settings.model_copy(update=changed)


def coverage(out: Path, manifest: Manifest, asked: FusionSettings | None = None) -> Coverage | None:
    """The coverage of a dataset whose shards lie in ``out``; None where its labels have no probabilities.

    With a filter ``asked``, it tells what that one would keep, too. Raises ValueError where the model does not reach
    it.
    """
    settings = fusion_of(manifest)
    if settings is None:
        return None
    columns = ["id", "tempo_bpm", "time_signature", "key", "chord_summary", "fused"]
    rows = (row for shard in manifest.shards for row in iter_shard(out, shard, columns))
    return coverage_of_rows(rows, settings, asked)


def coverage_of_rows(
    rows: Iterable[Mapping[str, Any]], settings: FusionSettings, asked: FusionSettings | None = None
) -> Coverage | None:
    """As :func:`coverage`; None where no row has the column ``fused``."""
    found = Coverage(asked=None if asked is None else (dict.fromkeys(ATTRIBUTES, 0), [0] * 5))
    reached = _levels(settings)
    for row in rows:
        if row["fused"] is None:
            continue
        found.rows += 1
        now = {
            "tempo": row["tempo_bpm"] is not None,
            "meter": row["time_signature"] is not None,
            "key": row["key"] is not None,
            "chords": bool(row["chord_summary"]),
        }
        for name, has in now.items():
            found.now_kept[name] += has
        found.now_facts[sum(now.values())] += 1
        fused = _fused(row)
        if asked is not None and found.asked is not None:
            would = kept_attributes(keep(fused, asked))
            for name, has in would.items():
                found.asked[0][name] += has
            found.asked[1][sum(would.values())] += 1
        for place, (level, able) in enumerate(reached):
            has_at = kept_attributes(keep(fused, level))
            for name in ATTRIBUTES:
                count = found.kept[name][place]
                found.kept[name][place] = None if name not in able or count is None else count + has_at[name]
            found.facts[place][sum(has_at[name] for name in able)] += 1
    return found if found.rows else None


def _fused(row: Mapping[str, Any]) -> Fused:
    try:
        return from_dict(Fused, row["fused"])
    except ContractError as error:
        raise InvalidDataError(f"row {row.get('id')}: {error}; `fgmcaps validate` gives details") from None


def kept_attributes(labels: Labels) -> dict[str, bool]:
    """Which of ``ATTRIBUTES`` a caption of these labels states."""
    return {
        "tempo": labels.tempo_bpm is not None,
        "meter": labels.time_signature is not None,
        "key": labels.key is not None,
        "chords": bool(labels.chord_summary),
    }


def _levels(settings: FusionSettings) -> list[tuple[FusionSettings, tuple[str, ...]]]:
    """For each level the settings, and the attributes whose model reaches it; the others keep their own precision."""
    out = []
    for level in LEVELS:
        able = [name for name in (*ATTRIBUTES, "downbeats") if _reaches(settings, name, level)]
        asked = with_precision(settings, dict.fromkeys(able, level))
        out.append((asked, tuple(name for name in able if name in ATTRIBUTES)))
    return out


def _reaches(settings: FusionSettings, attribute: str, level: float) -> bool:
    try:
        load_model(settings.model)[attribute].threshold(level)
    except ValueError:
        return False
    return True


def coverage_lines(found: Coverage) -> Iterator[tuple[str, ...]]:
    """A table for people: a head, then a line an attribute, then the captions by number of facts."""
    asked = found.asked
    yield ("kept of all", "now", *(() if asked is None else ("asked",)), *(f"at {level:g}" for level in LEVELS))
    for name in ATTRIBUTES:
        counts = [found.now_kept[name], *(() if asked is None else (asked[0][name],)), *found.kept[name]]
        yield (name, *("-" if count is None else _share(count, found.rows) for count in counts))
    for n in range(5):
        what = "captions with no fact" if n == 0 else f"with {n} fact{'' if n == 1 else 's'}"
        rows = [found.now_facts[n], *(() if asked is None else (asked[1][n],)), *(f[n] for f in found.facts)]
        yield (what, *(_share(count, found.rows) for count in rows))


def _share(count: int, rows: int) -> str:
    return f"{100 * count / rows:.0f} %"
