"""One typed build configuration: defaults, then a YAML file, then options.

What changes rows is part of a fingerprint; what only changes speed (workers, runner) is not in this object at all.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.common.yaml_text import read_yaml
from fgmcaps.schemas.arrow import COLUMNS
from fgmcaps.schemas.splits import HASHED, SPLITS
from fgmcaps.schemas.version import FGMCAPS_SCHEMA_VERSION

# Raised when the same audio and settings would give other clips or other labels than the version before.
ANNOTATE_CODE_VERSION = 1
CAPTION_CODE_VERSION = 1
WRITE_CODE_VERSION = 2

_ESTIMATES_SCHEMA = "1.0"  # of what the journals of annotations hold, which a new column of rows does not change

Stage = Literal["annotate", "caption", "write"]


class ServeConfig(BaseModel):
    """A vLLM server that the build starts and stops itself; see
    :class:`fgmcaps.captioning.engines.vllm_server.ServeOptions`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    command: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: str = ""
    tensor_parallel: int = Field(default=1, ge=1)
    max_model_len: int = Field(default=4096, ge=256)
    extra_args: tuple[str, ...] = ()
    start_timeout_s: float = Field(default=1800.0, gt=0)


class LlmConfig(BaseModel):
    """Which model writes captions, how it samples, and where it is reached. The API key is in the environment only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    revision: str = ""
    temperature: float = Field(default=0.7, ge=0)
    top_p: float = Field(default=0.8, gt=0, le=1)
    max_tokens: int = Field(default=200, ge=1)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    max_attempts: int = Field(default=3, ge=1)
    base_urls: tuple[str, ...] = ()
    structured: Literal["auto", "facts", "off"] = "auto"
    concurrency: int = Field(default=256, ge=1)
    timeout_s: float = Field(default=60.0, gt=0)
    deadline_s: float = Field(default=300.0, gt=0)
    serve: ServeConfig | None = None

    CONNECTION: ClassVar[set[str]] = {"base_urls", "concurrency", "timeout_s", "deadline_s", "serve"}
    """Settings that change speed and address, not captions: in no fingerprint, manifest or card."""

    @property
    def served_model(self) -> str:
        """The name that requests use."""
        return self.model or (self.serve.model if self.serve is not None else "")


class BuildConfig(BaseModel):
    """Everything that decides what a dataset holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    profile: Literal["best", "fast", "paper", "permissive"] = "best"
    profile_overrides: dict[str, Any] = Field(default_factory=dict)
    clips_per_track: int | Literal["all"] = 1
    captioner: Literal["template", "openai"] = "template"
    llm: LlmConfig = LlmConfig()
    caption_style: Literal["objective", "short", "keywords", "casual"] = "objective"
    extra_styles: tuple[Literal["objective", "short", "keywords", "casual"], ...] = ("short", "keywords", "casual")
    seed: int = 0
    audio: Literal["embed", "path", "none"] = "embed"
    splits: dict[str, float] = Field(default_factory=lambda: {"train": 0.9, "validation": 0.05, "test": 0.05})
    rows_per_shard: int = Field(default=1000, ge=1)
    source: str | None = None
    licence: str | None = None
    tags: Literal["read", "ignore"] = "read"
    split_map: dict[str, str] = Field(default_factory=dict)
    audio_column: str | None = None
    dataset_config: str | None = None
    keep_columns: tuple[str, ...] = ()
    duplicates: Literal["sound", "audio"] = "sound"
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

    @field_validator("split_map")
    @classmethod
    def _known_splits(cls, value: dict[str, str]) -> dict[str, str]:
        for name, split in value.items():
            if split not in (*SPLITS, HASHED):
                raise ValueError(f"{name}={split}: a split is one of {', '.join(SPLITS)}, or {HASHED}")
        return dict(sorted((name.strip().casefold(), split) for name, split in value.items()))

    @field_validator("keep_columns")
    @classmethod
    def _own_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [name.strip() for name in value]
        for name in names:
            if not re.fullmatch(r"[^\W\d][\w .-]{0,63}", name):
                raise ValueError(
                    f"{name!r} cannot name a column: a letter first, then letters, digits, _ - . and blanks"
                )
            if any(name.casefold() == column.name.casefold() for column in COLUMNS):
                raise ValueError(f"{name!r} is a column of FGMCaps's own; give it another name in your table")
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError("a column is named twice")
        return tuple(names)

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

    @model_validator(mode="after")
    def _reachable(self) -> "BuildConfig":
        if self.captioner == "openai" and not (self.llm.served_model and (self.llm.base_urls or self.llm.serve)):
            raise ValueError(
                "captioner openai needs a server and a model: --base-url URL --model NAME (or FGMCAPS_BASE_URL and "
                "FGMCAPS_MODEL), or --serve MODEL"
            )
        return self

    def public(self) -> dict[str, Any]:
        """JSON-able settings that decide the rows: what a folder is bound to and what the manifest shows."""
        data = self.model_dump(mode="json", exclude={"llm": LlmConfig.CONNECTION})
        if not self.keep_columns:  # so that builds of before it was there keep their identity
            del data["keep_columns"]
        if self.captioner == "template":
            del data["llm"]
        else:
            data["llm"]["model"] = self.llm.served_model
        return data

    def annotate_fingerprint(self, profile_fingerprint: str, decoder_version: str) -> str:
        """Key of annotation journals: changes when any label could change.

        With the profile's ``estimates_fingerprint`` it is the key of estimates: equal where only fusion differs.
        """
        return fingerprint(
            schema=_ESTIMATES_SCHEMA,
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


def load_config(
    path: Path | None,
    overrides: Mapping[str, Any],
    llm: Mapping[str, Any] | None = None,
    pairs: Mapping[str, Any] | None = None,
) -> BuildConfig:
    """Defaults, then the YAML file, then ``pairs``, then ``overrides`` (options that the user gave).

    ``llm`` holds the options of the server. ``pairs``: settings by name, those in a section with a point between
    (``llm.temperature``); what follows ``profile_overrides.`` is the name of a setting of the profile.
    Raises FgmcapsError that names the file, the key, and for an unknown key the nearest known one.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = read_yaml(path)
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, no YAML, beyond its bounds
            raise FgmcapsError(f"cannot read the configuration {path}: {' '.join(str(error).split())}") from None
        if not isinstance(loaded, dict | None):
            raise FgmcapsError(
                f"{path}: a configuration is a list of 'key: value' lines, not a {type(loaded).__name__}"
            )
        data.update(loaded or {})
    for name, value in (pairs or {}).items():
        _put(data, name, value)
    data.update(overrides)
    if "llm" in data and "captioner" not in data:
        raise FgmcapsError(
            f"{path}: settings of an LLM, and nobody says who writes the captions: add `captioner: openai`, or "
            "`captioner: template` to keep them for later"
        )
    if llm and data.get("captioner") == "openai" and isinstance(data.get("llm", {}), dict):
        data["llm"] = _with_server(data.get("llm", {}), llm)
    for key in data:
        if key not in BuildConfig.model_fields:
            where = f"{path}: " if path is not None else ""
            raise FgmcapsError(f"{where}unknown setting {key!r}{did_you_mean(str(key), BuildConfig.model_fields)}")
    try:
        return BuildConfig(**data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        where = f"{path}: " if path is not None else ""
        if not first["loc"]:
            raise FgmcapsError(where + message) from None
        key = str(first["loc"][0])
        value = _short(data.get(key))
        if first["type"] == "extra_forbidden":
            known = (ServeConfig if "serve" in first["loc"] else LlmConfig).model_fields
            hint = did_you_mean(str(first["loc"][-1]), known)
            raise FgmcapsError(f"{where}unknown setting {'.'.join(map(str, first['loc']))!r}{hint}") from None
        if first["type"] == "literal_error" and isinstance(first["input"], str):
            message += did_you_mean(first["input"], re.findall(r"'(\w+)'", first["ctx"]["expected"]))
        if key in overrides:
            raise FgmcapsError(f"--{key.replace('_', '-')} {value}: {message}") from None
        raise FgmcapsError(f"{where}setting {key!r} = {value}: {message}") from None


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    """Put one setting where its name says."""
    section, point, rest = name.partition(".")
    if not point:
        data[name] = value
        return
    inner = data.get(section)
    made = dict(inner) if isinstance(inner, Mapping) else {}
    if section == "profile_overrides":
        made[rest] = value
    else:
        _put(made, rest, value)
    data[section] = made


def _with_server(section: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The ``llm`` section with the options that were given: addresses, model, and the model to serve."""
    given = {key: value for key, value in options.items() if value}
    if "serve" in given:
        given["serve"] = {**(section.get("serve") or {}), "model": given["serve"]}
    return {**section, **given}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
