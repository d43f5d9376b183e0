"""A profile: which tools annotate, and how their estimates become labels. Loads no model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, Literal, get_args

from fgmcaps.annotators.base import Annotator
from fgmcaps.annotators.fusion import FUSION_VERSION
from fgmcaps.annotators.fusion.fusion_model import check_fusion, model_digest
from fgmcaps.annotators.fusion.paper import PAPER_VERSION
from fgmcaps.annotators.registry import make_annotator
from fgmcaps.annotators.settings import (
    FusionSettings,
    GateSettings,
    ProfileError,
    ProfileSettings,
    ToolSpec,
    merged,
    parse_profile,
)
from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.yaml_text import load_yaml
from fgmcaps.schemas import ToolInfo

ProfileName = Literal["best", "fast", "paper", "permissive"]
NAMES: tuple[str, ...] = get_args(ProfileName)


@dataclass(frozen=True)
class Profile:
    """Tools, gate, fusion and filter of one build. Cheap to pickle; made by :func:`load_profile`."""

    settings: ProfileSettings

    @property
    def name(self) -> str:
        """Name of the profile."""
        return self.settings.name

    @property
    def gate(self) -> GateSettings:
        """Limits of the gate."""
        return self.settings.gate

    @property
    def fusion(self) -> FusionSettings:
        """Settings of fusion and filter."""
        return self.settings.fusion

    @cached_property
    def stages(self) -> tuple[tuple[str, tuple[Annotator[Any], ...]], ...]:
        """``("beats", annotators)``, ``("key", ...)``, ``("chords", ...)``; the annotators are unloaded."""
        stages = self.settings.stages
        named: tuple[tuple[str, tuple[ToolSpec, ...]], ...] = (
            ("beats", stages.beats),
            ("key", stages.key),
            ("chords", stages.chords),
        )
        return tuple((name, tuple(make_annotator(s.tool, s.options) for s in specs)) for name, specs in named)

    @property
    def annotators(self) -> tuple[Annotator[Any], ...]:
        """All annotators in the order in which they run."""
        return tuple(annotator for _, stage in self.stages for annotator in stage)

    @cached_property
    def tools(self) -> tuple[ToolInfo, ...]:
        """Name, version and licence of every tool, in the order in which they run."""
        return tuple(annotator.info for annotator in self.annotators)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of all that can change a label: tools, versions, settings, fusion code version."""
        profile = self.settings.model_dump(mode="json")
        content = {"fusion_version": FUSION_VERSION, "profile": profile, "tools": self._tool_settings()}
        if self.fusion.recipe == "calibrated":
            content["model"] = model_digest(self.fusion.model)
        else:
            content["paper_version"] = PAPER_VERSION
        return _digest(content)

    @cached_property
    def estimates_fingerprint(self) -> str:
        """SHA-256 of all that can change an estimate: :attr:`fingerprint` without fusion and filter."""
        return _digest({"gate": self.gate.model_dump(mode="json"), "tools": self._tool_settings()})

    def _tool_settings(self) -> list[Any]:
        return [
            [a.info.name, a.info.version, {key: a.settings()[key] for key in sorted(a.settings())}]
            for a in self.annotators
        ]

    def missing(self) -> tuple[str, ...]:
        """What the tools lack here, as sentences with the remedy; empty when all is there. Loads no weights."""
        return tuple(sentence for annotator in self.annotators for sentence in annotator.missing())

    def with_overrides(self, overrides: Mapping[str, Any]) -> "Profile":
        """This profile with some settings changed: nested (``{"fusion": {"key": {"precision": 0.9}}}``) or dotted keys.

        Raises ProfileError for a value that does not fit and for an unknown key, naming the nearest known one.
        """
        data = merged(self.settings.model_dump(mode="python"), overrides)
        changed = Profile(parse_profile(data, f"profile {self.name}"))
        changed.annotators  # noqa: B018  an unknown tool or option is an error here, not in a worker
        check_fusion(changed.fusion, [tool.name for tool in changed.tools])
        return changed


def _profile_file(name: str) -> str:
    return resources.files("fgmcaps.annotators").joinpath("profiles", f"{name}.yaml").read_text("utf-8")


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_profile(name: str = "best") -> Profile:
    """The profile ``best``, ``fast``, ``paper`` or ``permissive``. Raises ProfileError naming the nearest name."""
    if name not in NAMES:
        raise ProfileError(f"unknown profile {name!r}{did_you_mean(name, NAMES)}; known: {', '.join(NAMES)}")
    return Profile(parse_profile(load_yaml(_profile_file(name)), f"profile {name}"))
