"""What ``fgmcaps doctor`` looks at: the machine, the installation, profiles, decoders, and what can write captions.

Nothing is loaded that takes time or memory, and nothing is fetched.
"""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import soundfile

from fgmcaps.common.doctor import Finding, package
from fgmcaps.common.extras import EXTRAS, remedy_for

VLLM_ENVIRONMENT = ".venv-vllm"


def findings(chosen: str) -> Iterator[Finding]:
    """Everything, in the order in which it is shown; what the profile ``chosen`` lacks is ``missing``, not ``off``."""
    yield from _machine()
    yield from _installation()
    from fgmcaps.annotators.profile import NAMES

    for profile in NAMES:
        yield _profile(profile, chosen)
    yield Finding("Decoders", "libsndfile", "ok", f"{soundfile.__libsndfile_version__}: WAV, FLAC, Ogg, Opus, MP3, ...")
    yield package("Decoders", "av", "pip install av")
    yield from _captions()
    yield from _hub()


def _machine() -> Iterator[Finding]:
    from fgmcaps.captioning.engines.vllm_server import has_gpu

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Finding("Machine", "Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("Machine", "processors", "ok", f"{os.cpu_count()} cores, {memory:.0f} GiB of memory")
    gpu = has_gpu()
    yield Finding("Machine", "NVIDIA GPU", "ok" if gpu else "off", "there is one" if gpu else "none; all runs without")


def _installation() -> Iterator[Finding]:
    yield Finding("Installation", "fgmcaps", "ok", version("fgmcaps"))
    for extra in EXTRAS:
        lacks = extra.missing()
        detail = f"lacks {', '.join(lacks)}" if lacks else extra.purpose
        remedy = f"pip install 'fgmcaps[{extra.name}]'" if lacks else ""
        yield Finding("Installation", f"extra {extra.name}", "off" if lacks else "ok", detail, remedy)


def _profile(name: str, chosen: str) -> Finding:
    from fgmcaps.annotators import load_profile

    try:
        lacks = load_profile(name).missing()
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        lacks = (f"{module} is not installed; run {remedy_for(module)}",)
    if not lacks:
        return Finding("Profiles", name, "ok", "works here")
    return Finding("Profiles", name, "missing" if name == chosen else "off", "; ".join(lacks))


def _captions() -> Iterator[Finding]:
    yield Finding("Captions", "template", "ok", "works everywhere")
    served = bool(os.environ.get("FGMCAPS_BASE_URL"))
    yield Finding(
        "Captions",
        "LLM server",
        "ok" if served else "off",
        "FGMCAPS_BASE_URL is set" if served else "FGMCAPS_BASE_URL is not set",
        "" if served else "set it, or give --base-url to `fgmcaps build --captioner openai`",
    )
    there = Path(VLLM_ENVIRONMENT, "bin", "python").exists()
    yield Finding(
        "Captions",
        "vLLM for --serve",
        "ok" if there else "off",
        f"in {VLLM_ENVIRONMENT}" if there else f"{VLLM_ENVIRONMENT} is not in this folder",
        "" if there else "run `make vllm` in a checkout",
    )


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants, get_token

    logged_in = get_token() is not None
    yield Finding(
        "Hugging Face Hub",
        "login",
        "ok" if logged_in else "off",
        "there is a token" if logged_in else "not logged in; only `push` needs it",
        "" if logged_in else "run `hf auth login`, or set HF_TOKEN",
    )
    if constants.HF_HUB_OFFLINE:
        yield Finding("Hugging Face Hub", "connection", "off", "HF_HUB_OFFLINE is set")
