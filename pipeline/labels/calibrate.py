"""``fgmcaps calibrate``: probabilities that are true on a user's own music, from labels that the user knows."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgmcaps.annotators import Profile, fuse
from fgmcaps.annotators.evaluation import score_clip, unfiltered
from fgmcaps.annotators.evaluation.recalibration import LEAST_GROUPS, Curve, fit_curve
from fgmcaps.annotators.fusion.fusion_model import ATTRIBUTES, load_model, model_digest
from fgmcaps.annotators.fusion.meter_prior import estimated_meters, with_meters
from fgmcaps.annotators.settings import Calibration, Share
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import read_bounded
from fgmcaps.pipeline.labels.evaluate import ClipEstimates
from fgmcaps.schemas import Fused, Labels
from fgmcaps.schemas.truth import ClipTruth

FORMATS = ("fgmcaps-calibration/1", "fgmcaps-calibration/2")
"""The second has the shares of meters beside the curves."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The curve of every attribute that has labels; those that help are used."""

    curves: dict[str, Curve]

    @property
    def used(self) -> dict[str, Curve]:
        """The curves that are better on tracks that they have not seen."""
        return {name: curve for name, curve in self.curves.items() if curve.better}


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """What a file changes: curves by attribute, and the shares of meters (empty: as in the model)."""

    curves: Calibration
    meters: dict[str, float]


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    format: str
    model: str
    attributes: Calibration
    meters: dict[str, Share] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetersFound:
    """Shares of meters in a dataset, those that were assumed, and how many of its clips would change their meter."""

    meters: dict[str, float]
    assumed: dict[str, float]
    clips: int
    changed: int


def meters_of(clips: Sequence[Fused], model: str) -> MetersFound:
    """Find how common each meter is among clips that were judged with the model's own shares.

    Raises FgmcapsError for a model that has none, and where no clip has a meter.
    """
    assumed = dict(load_model(model).meters or {})
    known = [fused for fused in clips if fused.time_signature is not None]
    if not assumed or not known:
        raise FgmcapsError("no clip of the dataset has a meter with probabilities; build it with best or fast")
    meters = estimated_meters(known, assumed)
    changed = sum(with_meters(fused, meters, assumed).time_signature != fused.time_signature for fused in known)
    return MetersFound(meters, assumed, len(known), changed)


def calibrate(pairs: Sequence[tuple[ClipEstimates, ClipTruth]], profile: Profile) -> Calibrated:
    """Curves from clips and what is true of them. Raises FgmcapsError for a profile without probabilities."""
    if profile.fusion.recipe != "calibrated":
        raise FgmcapsError(f"profile {profile.name!r} gives no probabilities; calibrate best, fast or permissive")
    settings = unfiltered(profile.fusion).model_copy(update={"calibration": {}, "meters": {}})
    found: dict[str, list[tuple[float, float, str]]] = {name: [] for name in ATTRIBUTES}
    for clip, truth in pairs:
        if not clip.estimates:
            continue
        labels = fuse(clip.estimates, settings)
        scores = score_clip(labels, truth)
        for name in ATTRIBUTES:
            score, probability = scores.of(name), _probability(labels, name)
            if score is not None and probability is not None:
                found[name].append((probability, score, clip.name))
    return Calibrated({name: fit_curve(*zip(*rows, strict=True)) for name, rows in found.items() if rows})


def _probability(labels: Labels, name: str) -> float | None:
    return None if labels.fused is None else getattr(labels.fused, f"{name}_probability")


def write_calibration(path: Path, found: Calibrated, profile: Profile) -> None:
    """Write the curves that are used, and what all of them rest on."""
    data: dict[str, Any] = {
        "format": FORMATS[0],
        "profile": profile.name,
        "model": model_digest(profile.fusion.model),
        "attributes": {n: {"slope": c.slope, "intercept": c.intercept} for n, c in found.used.items()},
        "fits": {name: {**asdict(curve), "used": curve.better} for name, curve in found.curves.items()},
    }
    write_atomically(path, f"{json.dumps(data, indent=2, sort_keys=True, allow_nan=False)}\n".encode())


def write_meters(path: Path, found: MetersFound, model: str) -> None:
    """Write the shares of meters of a dataset, for a fusion model by name."""
    data: dict[str, Any] = {
        "format": FORMATS[1],
        "model": model_digest(model),
        "attributes": {},
        "meters": found.meters,
        "fits": {"meters": {"clips": found.clips, "changed": found.changed, "assumed": found.assumed}},
    }
    write_atomically(path, f"{json.dumps(data, indent=2, sort_keys=True, allow_nan=False)}\n".encode())


def read_calibration(path: Path, model: str) -> CalibrationFile:
    """What is in a file that ``fgmcaps calibrate`` wrote, for a fusion model by name.

    Raises FgmcapsError (no such file, not one of ours, of another model).
    """
    try:
        data = _File.model_validate_json(read_bounded(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FgmcapsError(f"--calibration {path}: {where}: {first['msg']}; make it by `fgmcaps calibrate`") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise FgmcapsError(f"--calibration {path}: cannot be read: {reason}") from None
    if data.format not in FORMATS:
        raise FgmcapsError(f"--calibration {path}: format {data.format!r}, this program reads {' and '.join(FORMATS)}")
    if data.model != model_digest(model):
        raise FgmcapsError(
            f"--calibration {path}: of another fusion model than {model!r}; calibrate again with this profile and "
            "program"
        )
    known = load_model(model).meters or {}
    foreign = sorted(set(data.meters) - set(known))
    if foreign or (data.meters and abs(sum(data.meters.values()) - 1) > 0.01):
        raise FgmcapsError(f"--calibration {path}: meters: shares of {', '.join(known)} that sum to 1 are expected")
    return CalibrationFile(data.attributes, data.meters)


def calibration_lines(found: Calibrated) -> list[tuple[str, ...]]:
    """A table for people: a head, then a line an attribute."""
    lines: list[tuple[str, ...]] = [("", "clips", "tracks", "stated", "right", "log loss", "with the curve", "")]
    for name, c in found.curves.items():
        few = f"too few (under {LEAST_GROUPS})"
        told = "used" if c.better else few if c.groups < LEAST_GROUPS else "no better: left out"
        losses = ("-" if loss is None else f"{loss:.3f}" for loss in (c.loss_before, c.loss_after))
        figures = (f"{c.stated:.2f}", f"{c.right:.2f}", *losses)
        lines.append((name, str(c.clips), str(c.groups), *figures, told))
    return lines
