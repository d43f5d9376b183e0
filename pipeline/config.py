"""One typed build configuration: defaults, then a YAML file, then options.

What changes rows is part of a fingerprint; what only changes speed (workers, runner) is not in this object at all.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import CommandError
from pipeline.nearest import nearest
from schemas.version import FGMCAPS_SCHEMA_VERSION

# Raised when the same audio and settings would give other clips or other labels than the version before.
ANNOTATE_CODE_VERSION = 1
CAPTION_CODE_VERSION = 1
WRITE_CODE_VERSION = 1

Stage = Literal["annotate", "caption", "write"]
SPLITS = ("train", "validation", "test")


class BuildConfig(BaseModel):
    """Everything that decides what a dataset holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

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
    max_track_hours: float = Field(default=6.0, gt=0, le=27)  # clip ids hold starts up to 27.7 h

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: Any) -> Any:
        if isinstance(value, bool):  # YAML reads yes, no, on and off as booleans, and a boolean would pass as 0 or 1
            raise ValueError("no setting is yes or no")
        return value

    @field_validator("clips_per_track", mode="before")
    @classmethod
    def _whole_or_all(cls, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)  # options come as text
        if value != "all" and (not isinstance(value, int) or value < 1):
            raise ValueError("must be a whole number from 1, or all")
        return value

    @field_validator("splits")
    @classmethod
    def _sums_to_one(cls, value: dict[str, float]) -> dict[str, float]:
        if not value or min(value.values()) < 0 or abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError("shares must be 0 or more and sum to 1")
        bad = [name for name in value if not name.isidentifier()]
        if bad:
            raise ValueError(f"not a split name: {bad[0]!r}")
        # One order whatever the file's, because the order decides who goes where and fingerprints do not see it.
        return dict(sorted(value.items(), key=lambda item: (_rank(item[0]), item[0])))

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


def _rank(split: str) -> int:
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def fingerprint(**parts: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of ``parts``."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=list).encode()).hexdigest()


def load_config(path: Path | None, overrides: Mapping[str, Any]) -> BuildConfig:
    """Defaults, then the YAML file, then ``overrides`` (options that the user gave).

    Raises CommandError that names the file, the key, and for an unknown key the nearest known one.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:  # ValueError: not UTF-8; a 13th month
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
        value = _short(data.get(key))
        if first["type"] == "literal_error" and isinstance(first["input"], str):
            message += nearest(first["input"], re.findall(r"'(\w+)'", first["ctx"]["expected"]))
        if key in overrides:
            raise CommandError(f"--{key.replace('_', '-')} {value}: {message}") from None
        where = f"{path}: " if path is not None else ""
        raise CommandError(f"{where}setting {key!r} = {value}: {message}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
