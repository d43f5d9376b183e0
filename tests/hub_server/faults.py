"""Faults that the test server injects, each for a request that matches and a number of times."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "cut-request", "cut-answer", "cut-download", "before", "nonsense"]


@dataclass
class Fault:
    """What goes wrong.

    - ``status``: the answer is ``status`` (429, 503, 401, ...) with ``message``; the request is not carried out;
    - ``nonsense``: the answer is 200 and a list with a number, which no request of ours asks for;
    - ``cut-request``: half of the request's body is read, then the connection is closed;
    - ``cut-answer``: the request is carried out, then the connection is closed without an answer;
    - ``cut-download``: half of the answer's body is sent, then the connection is closed;
    - ``before``: ``action`` runs first, then the request is carried out (somebody else's commit, for example).
    """

    request: str
    kind: Kind
    times: int = 1
    status: int = 0
    message: str = "injected"
    retry_after: int | None = None
    action: Callable[[], None] | None = None
    after: int = 0


@dataclass
class Faults:
    """The faults that wait to happen, in order."""

    waiting: list[Fault] = field(default_factory=list)
    happened: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: str, kind: Kind, **settings: object) -> None:
        """``request`` is a regular expression on ``METHOD /path``; ``after`` lets that many pass first."""
        self.waiting.append(Fault(request, kind, **settings))  # type: ignore[arg-type]

    def take(self, request: str) -> Fault | None:
        """The fault for this request, used up by one."""
        with self.lock:
            for fault in self.waiting:
                if not re.search(fault.request, request):
                    continue
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                if not fault.times:
                    self.waiting.remove(fault)
                self.happened += 1
                return fault
        return None
