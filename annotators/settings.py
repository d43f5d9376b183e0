"""Settings of the gate, of fusion and of a profile: typed and frozen; an unknown key is an error naming the nearest."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


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
reached it on styles it had not seen. 0 keeps everything."""


class VoteSettings(_Settings):
    """One attribute decided by weighted votes.

    ``weights``: trust in each tool (a name that is absent counts 0). ``doubt`` is the weight of an unknown truth that
    no tool names: it keeps the confidence of a single tool below 1. A value below ``min_confidence`` is withheld.
    Recipe ``calibrated`` reads ``precision`` alone.
    """

    weights: dict[str, float] = Field(default_factory=dict)
    doubt: float = Field(default=0.5, ge=0)
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    precision: float = PRECISION


class TempoSettings(VoteSettings):
    """Votes on the tempo. Tools agree within ``tolerance`` (MIREX: 4 %); twice or half the tempo is part agreement."""

    tolerance: float = Field(default=0.04, gt=0, lt=0.3)
    octave_credit: float = Field(default=0.3, ge=0, le=1)
    prior_bpm: float = Field(default=110.0, gt=0)
    prior_octaves: float = Field(default=1.0, gt=0)
    """Standard deviation of the log-normal preference for ``prior_bpm``, which breaks octave ties."""


class MeterSettings(VoteSettings):
    """Votes on the bar length. ``loglik_scale``: nats between two bar lengths that make one e times as credible."""

    loglik_scale: float = Field(default=10.0, gt=0)
    half_bar_credit: float = Field(default=0.5, ge=0, le=1)
    """A tool that counts two beats in the bar supports a bar of four in part."""


class KeySettings(VoteSettings):
    """Votes on the key. ``chord_weight``: trust in the key that the chord sequence implies."""

    chord_weight: float = Field(default=0.0, ge=0)
    chord_sharpness: float = Field(default=20.0, gt=0)
    """Softmax factor from profile correlations to shares."""


class ChordSettings(_Settings):
    """``order``: the first tool present gives the spans, the others bear witness by their major / minor agreement."""

    order: tuple[str, ...] = ()
    agreement_weight: float = Field(default=0.5, ge=0, le=1)
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    precision: float = PRECISION
    """Of recipe ``calibrated``: the share of the kept clips' time that is to have the right major or minor chord."""
    min_span_seconds: float = Field(default=0.2, ge=0)
    """Shorter spans stay in the sequence but out of the summary."""
    min_span_confidence: float = Field(default=0.2, ge=0, le=1)
    """Less certain spans stay in the sequence but out of the summary."""
    summary_max: int = Field(default=8, ge=1)


class DownbeatSettings(_Settings):
    """Of recipe ``calibrated``: downbeats are kept where their expected F-measure is high enough."""

    precision: float = PRECISION


class FusionSettings(_Settings):
    """``calibrated`` fuses by a fitted model, ``agreement`` by votes; ``paper`` takes one tool each, as published.

    ``model``: of recipe ``calibrated``, the name of a file in ``annotators/fusion/models``, fitted for these tools.
    """

    recipe: Literal["agreement", "calibrated", "paper"] = "agreement"
    model: str = ""
    tempo: TempoSettings = TempoSettings()
    meter: MeterSettings = MeterSettings()
    downbeats: DownbeatSettings = DownbeatSettings()
    key: KeySettings = KeySettings()
    chords: ChordSettings = ChordSettings()


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
    """``base`` with ``overrides`` laid over it, key by key; ``{"fusion.tempo.doubt": 1}`` reaches inside as well."""
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
    near = get_close_matches(where[-1], known, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{source}: unknown setting {'.'.join(where)!r}{hint} Known here: {', '.join(known)}"


_FIELDS = tuple(ProfileSettings.model_fields)
