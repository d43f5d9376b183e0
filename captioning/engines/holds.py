"""How a server is told what an answer may be: the several ways in which servers take a grammar.

There is no standard. vLLM has ``structured_outputs``, llama.cpp's servers a field ``grammar``, others only the JSON
schemas of OpenAI's ``response_format``, and many ignore in silence what they do not know. So each endpoint is asked
once for a text that nobody would say, and what it answers shows whether it was held to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fgmcaps.captioning.grammar.gbnf import caption_grammar
from fgmcaps.captioning.grammar.pattern import caption_pattern
from fgmcaps.captioning.spellings.stated import stated_facts
from fgmcaps.schemas import Facts

Means = Literal["structured_outputs", "grammar", "response_format", "nothing"]
MEANS: tuple[Means, ...] = ("structured_outputs", "grammar", "response_format")
SAID: dict[Means, str] = {
    "structured_outputs": "takes grammars (structured_outputs, as vLLM)",
    "grammar": "takes grammars (field grammar, as llama.cpp)",
    "response_format": "takes JSON schemas with a pattern (response_format)",
    "nothing": "takes neither grammars nor patterns: plain text, checked as ever",
}


# Raised when the same facts give another grammar: answers under two are not the same answer.
GRAMMAR_VERSION = "facts.v1"


@dataclass(frozen=True, slots=True)
class Hold:
    """What an answer is held to: a GBNF grammar, or a regular expression where a server takes only JSON schemas.

    Both are made when they are asked for: a server that takes neither, or an answer that is known, needs none.
    """

    grammar: Callable[[], str]
    pattern: Callable[[], str]


PROBE_TEXT = "tempo-giusto-4417"
PROBE = Hold(lambda: f'root ::= "{PROBE_TEXT}"\n', lambda: f"^{PROBE_TEXT}$")


def hold_facts(facts: Facts, style: str) -> Hold:
    """The captions that state the facts. What it holds raises ValueError where they say nothing."""
    return Hold(
        lambda: caption_grammar(stated_facts(facts, style), style),
        lambda: caption_pattern(stated_facts(facts, style), style),
    )


def request_fields(means: Means, hold: Hold) -> dict[str, Any]:
    """The fields of a chat request that hold its answer."""
    if means == "structured_outputs":
        return {"structured_outputs": {"grammar": hold.grammar()}}
    if means == "grammar":
        return {"grammar": hold.grammar()}
    if means == "response_format":
        caption = {"type": "string", "pattern": hold.pattern()}
        schema = {
            "type": "object",
            "properties": {"caption": caption},
            "required": ["caption"],
            "additionalProperties": False,
        }
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "caption", "strict": True, "schema": schema},
            }
        }
    return {}
