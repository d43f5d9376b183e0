"""Prompts: versioned text files with few-shot examples, and the one canonical rendering of facts.

Format of ``prompts/<style>.v<n>.txt``: a ``[system]`` part, then pairs of ``[facts]`` and ``[caption]``. A caption
marks the stretch that states each fact, such as ``A {genre|swing }piece{key| in Eb minor}.``: an example is shown with
the attributes that the clip has, since a small model says whatever stands in its examples. A changed prompt is a new
file with the next number, since answers are cached and rows are labelled by the version.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fgmcaps.captioning.checker.chord_names import chord_symbol
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.captioning.checker.statable_terms import usable_facts
from fgmcaps.captioning.checker.terms import clean_term
from fgmcaps.schemas import Facts, Verdict

Message = dict[str, str]
PROMPT_VERSIONS = dict.fromkeys(STYLES, "v2")
SHOWN_EXAMPLES = 2
_PART = re.compile(r"^\[(system|facts|caption)\]\n", re.MULTILINE)
_STRETCH = re.compile(r"\{(\w+)\|([^{}]*)\}")
_LINES = {  # attribute: name of its line
    "tempo": "tempo",
    "meter": "time signature",
    "key": "key",
    "chords": "chords",
    "genre": "genre",
    "mood": "mood",
}


class PromptError(ValueError):
    """A prompt file is not in the format above; the message names file and fault."""


@dataclass(frozen=True, slots=True)
class Example:
    """Facts, a line each by attribute, and a caption whose stretches say which attribute they state."""

    lines: Mapping[str, str]
    caption: str

    def shown(self, attributes: frozenset[str]) -> tuple[str, str]:
        """Facts and caption with these attributes only."""
        facts = "\n".join(f"{_LINES[a]}: {value}" for a, value in self.lines.items() if a in attributes)
        text = _STRETCH.sub(lambda m: m[2] if m[1] in attributes else "", self.caption).strip(" ,")
        return facts, text[:1].upper() + text[1:] if self.caption.endswith(".") else text


@dataclass(frozen=True, slots=True)
class Prompt:
    """A style's instructions and examples. ``version`` is e.g. ``objective.v2``."""

    version: str
    style: str
    system: str
    examples: tuple[Example, ...]

    def messages(self, facts: Facts) -> list[Message]:
        """Chat messages that ask for one caption of these facts.

        What comes before the facts depends only on which attributes they have and on one of a few rotations, so that a
        server's prefix cache holds it. No example shares a value with the facts.
        """
        lines = _fact_lines(facts)
        attributes = frozenset(lines)
        out = [{"role": "system", "content": self.system}]
        for example in self._examples_for(lines):
            shown, caption = example.shown(attributes)
            out += [{"role": "user", "content": shown}, {"role": "assistant", "content": caption}]
        return [*out, {"role": "user", "content": render_facts(facts)}]

    def _examples_for(self, lines: Mapping[str, str]) -> list[Example]:
        start = hashlib.sha256("|".join(lines.values()).encode("utf-8", "surrogatepass")).digest()[0]
        turned = [self.examples[(start + i) % len(self.examples)] for i in range(len(self.examples))]
        return [e for e in turned if not any(lines.get(a) == v for a, v in e.lines.items())][:SHOWN_EXAMPLES]


def load_prompt(style: str) -> Prompt:
    """The current prompt of a style; ValueError for an unknown one."""
    if style not in PROMPT_VERSIONS:
        raise ValueError(f"unknown caption style {style!r}; known: {', '.join(PROMPT_VERSIONS)}")
    return _load(f"{style}.{PROMPT_VERSIONS[style]}")


def prompt_text(style: str) -> str:
    """The prompt file as it is, for the dataset card."""
    return _read(f"{style}.{PROMPT_VERSIONS[style]}")


def parse_prompt(version: str, text: str) -> Prompt:
    """Read the file format; raises PromptError."""
    if not text.startswith("[system]\n"):
        raise PromptError(f"prompt {version}: does not start with [system]")
    parts = [(m[1], m.end(), m.start()) for m in _PART.finditer(text)]
    ends = [start for _, _, start in parts[1:]] + [len(text)]
    bodies = [(name, text[begin:end].strip()) for (name, begin, _), end in zip(parts, ends, strict=True)]
    names = [name for name, _ in bodies]
    pairs = len(names) // 2
    if names != ["system", *["facts", "caption"] * pairs]:
        raise PromptError(f"prompt {version}: expected [system] and pairs of [facts] and [caption], found {names}")
    if empty := [name for name, body in bodies if not body]:
        raise PromptError(f"prompt {version}: empty part [{empty[0]}]")
    examples = tuple(_example(version, bodies[i][1], bodies[i + 1][1]) for i in range(1, len(bodies), 2))
    return Prompt(version, version.partition(".")[0], bodies[0][1], examples)


def _example(version: str, facts: str, caption: str) -> Example:
    """An example whose every line of facts is stated by one stretch of its caption."""
    names = {name: attribute for attribute, name in _LINES.items()}
    lines = [line.partition(": ") for line in facts.split("\n")]
    if unknown := [name for name, _, _ in lines if name not in names]:
        raise PromptError(f"prompt {version}: no fact is called {unknown[0]!r}")
    stated = [m[1] for m in _STRETCH.finditer(caption)]
    if sorted(stated) != sorted(names[name] for name, _, _ in lines):
        raise PromptError(f"prompt {version}: a caption states {stated}, not the facts above it")
    return Example({names[name]: value for name, _, value in lines}, caption)


def render_facts(facts: Facts) -> str:
    """One line a fact, always in the same order and spelling; unknown ones are left out.

    Genre and mood are the user's text: they are cleaned to one line of plain words, so that they cannot open a new line
    of the prompt.
    """
    return "\n".join(f"{_LINES[attribute]}: {value}" for attribute, value in _fact_lines(facts).items())


def _fact_lines(facts: Facts) -> dict[str, str]:
    """The values to state, by attribute."""
    stated = usable_facts(facts)
    tempo = None if stated.tempo_bpm is None else f"{stated.tempo_bpm} BPM"
    if tempo and stated.tempo_marking:
        tempo += f" ({stated.tempo_marking})"
    chords = [name for name in map(chord_symbol, stated.chords) if name is not None]
    values = {
        "tempo": tempo or stated.tempo_marking,
        "meter": stated.time_signature,
        "key": stated.key,
        "chords": ", ".join(chords),
        "genre": ", ".join(map(clean_term, stated.genre)),
        "mood": ", ".join(map(clean_term, stated.mood)),
    }
    return {attribute: value for attribute, value in values.items() if value}


def complaint(verdict: Verdict) -> str:
    """What the model is told after a rejected caption."""
    words = f" ({', '.join(verdict.words)})" if verdict.words else ""
    return (
        f"That caption is not acceptable: {verdict.rule}{words}: {verdict.message}. Write it again for the same facts, "
        "stating every fact and nothing else. Answer with the caption only."
    )


@cache
def _load(version: str) -> Prompt:
    return parse_prompt(version, _read(version))


def _read(version: str) -> str:
    return files("fgmcaps.captioning.prompts").joinpath(f"{version}.txt").read_text(encoding="utf-8")
