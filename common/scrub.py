"""Takes secrets out of text that others send us, before it is stored, logged or shown.

A server that echoes the headers of a request, or an error page that quotes them, would put a key into the journal, the
answer cache and the terminal.
"""

import base64
import json
import os
import re
from collections.abc import Iterable
from urllib.parse import quote

SECRET_VARIABLES = (
    "FGMCAPS_API_KEY",
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
)
MASK = "[secret]"
_LONG, _SHORT = 8, 4


def secrets_of_environment() -> tuple[str, ...]:
    """The keys and tokens that this process was given by name."""
    return tuple(value for name in SECRET_VARIABLES if (value := os.environ.get(name, "").strip()))


class Scrubber:
    """Replaces secrets by ``[secret]``, also where they are written in JSON, an address, base64 or hexadecimal.

    Secrets of 8 characters and more go wherever they stand, in any letter case. Those of 4 to 7 go only as a whole word
    that is spelt the same, and shorter ones stay: a local server's made-up key (``EMPTY``) must not eat words.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret.strip() for secret in secrets}
        patterns = [re.escape(form) for secret in known if len(secret) >= _LONG for form in _forms(secret)]
        patterns.sort(key=len, reverse=True)  # a form that holds another one goes first
        words = [re.escape(secret) for secret in known if _SHORT <= len(secret) < _LONG]
        self._anywhere = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None
        self._words = re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])") if words else None

    def text(self, text: str) -> str:
        """``text`` without secrets."""
        for pattern in (self._anywhere, self._words):
            if pattern is not None:
                text = pattern.sub(MASK, text)
        return text

    def data(self, data: bytes) -> bytes:
        """``data`` without secrets. Bytes that are no UTF-8 stay as they are."""
        if self._anywhere is None and self._words is None:
            return data
        return self.text(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def scrub(text: str) -> str:
    """``text`` without the secrets of the environment."""
    return Scrubber(secrets_of_environment()).text(text)


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret).replace("/", r"\/")[1:-1], quote(secret, safe="")}
    forms.add(raw.hex())
    for before in (b"", b"Bearer ", b":"):
        # Base64 of a longer text holds these characters where the text starts at a multiple of three bytes.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(before + raw).decode("ascii").rstrip("=")
            forms.add(whole[: len(before + raw) // 3 * 4] if len(raw) > 2 * _LONG else whole)
    return {form for form in forms if len(form) >= _LONG}
