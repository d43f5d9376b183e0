"""Facts in, one objective caption out, checked word for word. Imports only ``schemas``.

The template path (:class:`TemplateEngine`, :func:`write_caption`) needs no model. The LLM path is
:class:`captioning.openai_engine.OpenAIEngine` (asynchronous) and :class:`captioning.bridge.EngineBridge` (for threads),
served by :class:`captioning.vllm_server.VllmServer`; they are imported by name, since they bring httpx.
"""

from .check import check_caption, find_judgements
from .check_file import check_lines
from .diversity import distinct_n, self_bleu
from .parse import parse_caption
from .parsed import ParsedCaption
from .template import TEMPLATE_VERSION, TemplateEngine
from .write import CaptionBugError, write_caption

__all__ = [
    "TEMPLATE_VERSION",
    "CaptionBugError",
    "ParsedCaption",
    "TemplateEngine",
    "check_caption",
    "check_lines",
    "distinct_n",
    "find_judgements",
    "parse_caption",
    "self_bleu",
    "write_caption",
]
