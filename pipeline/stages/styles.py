"""Which captions a configuration asks for, and what of the captioner changes them. Loads no engine."""

from collections.abc import Mapping
from typing import Any

from fgmcaps.captioning import CHECKER_VERSION, TEMPLATE_VERSION
from fgmcaps.captioning.prompts.prompt import load_prompt
from fgmcaps.pipeline.config import BuildConfig


def styles_of(config: BuildConfig) -> tuple[str, ...]:
    """The style of the caption column, then the extra ones, each once."""
    return tuple(dict.fromkeys((config.caption_style, *config.extra_styles)))


def engine_identity(config: BuildConfig) -> Mapping[str, Any]:
    """What of an engine changes its captions; part of the caption fingerprint."""
    identity: dict[str, Any] = {"template": TEMPLATE_VERSION, "checker": CHECKER_VERSION}
    if config.captioner == "openai":
        identity["llm"] = config.public()["llm"]
        identity["prompts"] = [load_prompt(style).version for style in styles_of(config)]
    return identity
