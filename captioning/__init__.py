"""Facts in, one objective caption out, checked word for word. Imports only ``schemas``.

The template path (:class:`TemplateEngine`, :func:`write_caption`) needs no model. The LLM path is
:class:`fgmcaps.captioning.engines.openai.OpenAIEngine` (asynchronous) and
:class:`fgmcaps.captioning.engines.bridge.EngineBridge` (for threads), served by
:class:`fgmcaps.captioning.engines.vllm_server.VllmServer`; they are imported by name, since they bring an HTTP client.
"""

from fgmcaps.captioning.checker.check import CHECKER_VERSION, check_caption, find_judgements
from fgmcaps.captioning.checker.check_lines import check_lines
from fgmcaps.captioning.checker.mentions import ParsedCaption
from fgmcaps.captioning.checker.parse import parse_caption
from fgmcaps.captioning.diversity import distinct_n, self_bleu
from fgmcaps.captioning.engines.template import TEMPLATE_VERSION, TemplateEngine
from fgmcaps.captioning.engines.template_caption import CaptionBugError, write_caption

__all__ = [
    "CHECKER_VERSION",
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
