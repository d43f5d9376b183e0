"""Settings of the gate, of fusion and of a profile: typed and frozen; an unknown key is an error naming the nearest."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgmcaps.common.did_you_mean import did_you_mean


class ProfileError(ValueError):
    """A profile or an override that does not fit."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateSettings(_Settings):
    """Limits of :func:`fgmcaps.annotators.gate.gate`. The defaults let music at -60 dBFS pass."""

    min_seconds: float = Field(default=3.0, gt=0)
    silence_dbfs: float = Field(default=-65.0, le=0)
    active_range_db: float = Field(default=40.0, gt=0)
    """A frame within this range of the loudest one counts as sounding."""
    min_active_share: float = Field(default=0.25, ge=0, le=1)
    noise_flatness: float = Field(default=0.4, ge=0, le=1)
    """Of the whitened spectrum: Gaussian noise 0.56, music measured 0.22 at most (81 clips)."""
    noise_level_deviation_db: float = Field(default=1.5, ge=0)
    """Of whitened frames: noise holds its level (0.4 dB), music does not (3.8 dB at least, 81 clips)."""


PRECISION = Field(default=0.95, ge=0, lt=1)
"""Of recipe ``calibrated``: the share of kept labels that are to be right; the fitted model holds the threshold that
reached it on styles that it had not seen. 0 keeps everything."""


class LabelSettings(_Settings):
    """The filter of one attribute."""

    precision: float = PRECISION


class KeySettings(LabelSettings):
    """``min_confidence``: of recipe ``paper``; a key is kept where the tool's own strength exceeds it.

    Ten seconds of even perfect chords tell the key of a song in .72 of cases: at .95 nothing would be kept.
    """

    precision: float = Field(default=0.90, ge=0, lt=1)
    min_confidence: float = Field(default=0.5, ge=0, le=1)


class ChordSettings(LabelSettings):
    """``precision``: the share of the kept clips' time that is to have the right major or minor chord."""

    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """Of recipe ``paper``: the least mean confidence of the tool's own spans, where it gives one."""
    min_span_seconds: float = Field(default=0.2, ge=0)
    """Shorter spans stay in the sequence but out of the summary."""
    min_span_confidence: float = Field(default=0.2, ge=0, le=1)
    """Less certain spans stay in the sequence but out of the summary."""
    summary_max: int = Field(default=8, ge=1)


class Recalibration(_Settings):
    """``sigmoid(slope * logit(p) + intercept)``: a model's probability made true for a user's music."""

    slope: float = Field(default=1.0, gt=0, le=10)
    intercept: float = Field(default=0.0, ge=-10, le=10)


Share = Annotated[float, Field(ge=0, le=1)]
Calibration = dict[Literal["tempo", "meter", "downbeats", "key", "chords"], Recalibration]


class FusionSettings(_Settings):
    """``calibrated`` fuses by a fitted model; ``paper`` takes one tool for each attribute, as published.

    ``model``: of recipe ``calibrated``, the name of a file in ``annotators/fusion/models``, fitted for these tools.
    Downbeats are kept where their expected F-measure is high enough. ``calibration``: of recipe ``calibrated``, curves
    by attribute over the model's probabilities, as ``fgmcaps calibrate`` fits them. ``context``: of recipe
    ``calibrated``, whether a clip's tempo, meter and key are judged from the clip alone or with the other clips of its
    track. ``meters``: how common each time signature is in the user's music, as ``fgmcaps calibrate`` finds it in a
    dataset; empty: as in the model.
    """

    recipe: Literal["calibrated", "paper"] = "paper"
    model: str = ""
    tempo: LabelSettings = LabelSettings()
    meter: LabelSettings = LabelSettings()
    downbeats: LabelSettings = LabelSettings()
    key: KeySettings = KeySettings()
    chords: ChordSettings = ChordSettings()
    calibration: Calibration = Field(default_factory=dict)
    context: Literal["clip", "track"] = "track"
    meters: dict[str, Share] = Field(default_factory=dict)

    @property
    def hears_tracks(self) -> bool:
        """Whether the clips of a track are judged together."""
        return self.recipe == "calibrated" and self.context == "track"


class ToolSpec(_Settings):
    """A registered annotator and its options."""

    tool: str
    options: dict[str, Any] = Field(default_factory=dict)


class StageSettings(_Settings):
    """The tools of each stage, in the order in which they run."""

    beats: tuple[ToolSpec, ...]
    key: tuple[ToolSpec, ...]
    chords: tuple[ToolSpec, ...]


class ProfileSettings(_Settings):
    """A whole profile as its YAML file gives it."""

    name: str
    stages: StageSettings
    gate: GateSettings = GateSettings()
    fusion: FusionSettings = FusionSettings()


def parse_profile(data: Mapping[str, Any], source: str) -> ProfileSettings:
    """Validate; raises ProfileError naming ``source``, the key and, for an unknown key, the nearest known one."""
    try:
        return ProfileSettings.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = tuple(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ProfileError(_unknown_key(where, source)) from None
        raise ProfileError(f"{source}: {'.'.join(where)}: {first['msg']}") from None


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``overrides`` laid over it, key by key; dotted keys (``"fusion.key.precision"``) reach inside."""
    out = dict(base)
    for dotted, value in overrides.items():
        key, _, rest = str(dotted).partition(".")
        inner = {rest: value} if rest else value
        old = out.get(key)
        out[key] = merged(old, inner) if isinstance(inner, Mapping) and isinstance(old, Mapping) else inner
    return out


def _unknown_key(where: tuple[str, ...], source: str) -> str:
    model: Any = ProfileSettings
    for part in where[:-1]:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = ToolSpec if field is None else field.annotation
    known = list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else list(_FIELDS)
    hint = did_you_mean(where[-1], known)
    return f"{source}: unknown setting {'.'.join(where)!r}{hint}; known here: {', '.join(known)}"


_FIELDS = tuple(ProfileSettings.model_fields)
