"""One typed build configuration: defaults, then a YAML file, then options.

What changes rows is part of a fingerprint; what only changes speed (workers, runner) is not in this object at all.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import CommandError
from schemas.version import FGMCAPS_SCHEMA_VERSION

# Raised when the same audio and settings would give other clips or other labels than the version before.
ANNOTATE_CODE_VERSION = 1
CAPTION_CODE_VERSION = 1
WRITE_CODE_VERSION = 1

Stage = Literal["annotate", "caption", "write"]
STYLES = ("objective", "short", "keywords", "casual")


class BuildConfig(BaseModel):
    """Everything that decides what a dataset holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["best", "paper", "permissive"] = "best"
    profile_overrides: dict[str, Any] = Field(default_factory=dict)
    clips_per_track: int | Literal["all"] = 1
    captioner: Literal["template", "openai"] = "template"
    caption_style: Literal["objective", "short", "keywords", "casual"] = "objective"
    extra_styles: tuple[Literal["objective", "short", "keywords", "casual"], ...] = ("short", "keywords", "casual")
    seed: int = 0
    audio: Literal["embed", "path", "none"] = "embed"
    splits: dict[str, float] = Field(default_factory=lambda: {"train": 0.9, "validation": 0.05, "test": 0.05})
    rows_per_shard: int = Field(default=1000, ge=1)
    source: str | None = None
    licence: str | None = None
    decode_timeout_s: float = Field(default=60.0, gt=0)
    max_track_hours: float = Field(default=6.0, gt=0)

    @field_validator("clips_per_track")
    @classmethod
    def _positive(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("must be at least 1, or 'all'")
        return value

    @field_validator("splits")
    @classmethod
    def _sums_to_one(cls, value: dict[str, float]) -> dict[str, float]:
        if not value or min(value.values()) < 0 or abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError("shares must be 0 or more and sum to 1")
        bad = [name for name in value if not name.isidentifier()]
        if bad:
            raise ValueError(f"not a split name: {bad[0]!r}")
        return value

    def annotate_fingerprint(self, profile_fingerprint: str, decoder_version: str) -> str:
        """Key of annotation journals: changes when any label could change."""
        return fingerprint(
            schema=FGMCAPS_SCHEMA_VERSION,
            code=ANNOTATE_CODE_VERSION,
            profile=profile_fingerprint,
            clips_per_track=self.clips_per_track,
            decoder=decoder_version,
            decode_timeout_s=self.decode_timeout_s,
            max_track_hours=self.max_track_hours,
        )

    def caption_fingerprint(self, engine: Mapping[str, Any]) -> str:
        """Key of caption journals; ``engine`` names the captioner's own version, model and sampling."""
        return fingerprint(
            schema=FGMCAPS_SCHEMA_VERSION,
            code=CAPTION_CODE_VERSION,
            captioner=self.captioner,
            style=self.caption_style,
            extra=self.extra_styles,
            seed=self.seed,
            engine=dict(engine),
        )


def fingerprint(**parts: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of ``parts``."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=list).encode()).hexdigest()


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the closest known word, or an empty string."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""


def load_config(path: Path | None, overrides: Mapping[str, Any]) -> BuildConfig:
    """Defaults, then the YAML file, then ``overrides`` (options that the user gave).

    Raises CommandError that names the file, the key, and for an unknown key the nearest known one.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CommandError(f"cannot read the configuration {path}: {' '.join(str(error).split())}") from None
        if not isinstance(loaded, dict | None):
            raise CommandError(
                f"{path}: a configuration is a list of 'key: value' lines, not a {type(loaded).__name__}"
            )
        data.update(loaded or {})
    data.update(overrides)
    for key in data:
        if key not in BuildConfig.model_fields:
            where = f"{path}: " if path is not None else ""
            raise CommandError(f"{where}unknown setting {key!r}{nearest(str(key), BuildConfig.model_fields)}")
    try:
        return BuildConfig(**data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0]) if first["loc"] else "configuration"
        message = first["msg"].removeprefix("Value error, ")
        raise CommandError(f"setting {key!r} = {data.get(key)!r}: {message}") from None
