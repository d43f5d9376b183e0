"""Open a dataset's report in headless Chromium, play a clip, and take its picture.

    python -m benchmarks.report_picture OUT docs/report.png [--dark] [--width 1280] [--height 1900] [--phone]

Checks while it is there, and exits with 1 when one fails: the page asks the network for nothing, logs no error, the
clip plays and the line over its waveform moves. Talks to the browser over its debugging pipe, so that no port is open.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--mute-audio"),
    *("--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"),
)
PLAY_SECONDS = 3.0


class Browser:
    """Chromium behind its debugging pipe: messages are JSON, ended by a NUL byte."""

    def __init__(self, binary: str, profile: str) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def place() -> None:  # Chromium reads from descriptor 3 and writes to 4
            first, second = os.dup(to_read), os.dup(to_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [binary, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place,
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._read, 1 << 20)
            if not data:
                raise RuntimeError("the browser has closed its pipe")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def picture(page: Path, out: Path, *, width: int, height: int, dark: bool, phone: bool, binary: str) -> list[str]:
    """Take the picture; returns what was wrong."""
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(binary, profile)
        try:
            target = browser.call("Target.createTarget", url="about:blank")["targetId"]
            session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                browser.call(f"{domain}.enable", session)
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                session,
                width=width,
                height=height,
                deviceScaleFactor=2 if phone else 1,
                mobile=phone,
            )
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            browser.call("Emulation.setEmulatedMedia", session, features=[scheme])
            browser.call("Page.navigate", session, url=page.resolve().as_uri())
            deadline = time.monotonic() + 30
            while evaluate(browser, session, "document.readyState") != "complete" and time.monotonic() < deadline:
                time.sleep(0.1)
            problems = play(browser, session)
            shot = browser.call("Page.captureScreenshot", session, format="png")
            out.write_bytes(base64.b64decode(shot["data"]))
            wide = evaluate(browser, session, "document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                problems.append(f"the page is {wide} pixels wider than the window")
            return problems + unwanted(browser.events)
        finally:
            browser.close()


def evaluate(browser: Browser, session: str, expression: str) -> Any:
    answer = browser.call("Runtime.evaluate", session, expression=expression, returnByValue=True, awaitPromise=True)
    return answer["result"].get("value")


def play(browser: Browser, session: str) -> list[str]:
    """Press the first player and let it run for a while."""
    if not evaluate(browser, session, "!!document.querySelector('.clip .play')"):
        return []
    evaluate(browser, session, "document.querySelector('.clip .play').click()")
    time.sleep(PLAY_SECONDS)
    state = json.loads(
        evaluate(
            browser,
            session,
            """JSON.stringify((() => {
                const audio = document.querySelector('.clip audio'), clip = audio.closest('.clip');
                return {
                    time: audio.currentTime, duration: audio.duration,
                    head: clip.querySelector('.head').style.left, text: clip.querySelector('.now-text').textContent,
                };
            })())""",
        )
    )
    print(f"after {PLAY_SECONDS} s: {state}")
    problems = []
    if not state["time"] > PLAY_SECONDS / 3:
        problems.append("the clip does not play")
    if "calc(0%" in state["head"] or not state["head"]:
        problems.append("the line over the waveform does not move")
    return problems


def unwanted(events: list[dict[str, Any]]) -> list[str]:
    """Requests to anywhere but the file itself and data URIs, and everything that the page logged."""
    problems = []
    for event in events:
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("data:", "file:", "about:")):
                problems.append(f"asked the network for {url[:200]}")
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            problems.append(f"logged: {params['entry']['text'][:300]}")
        elif method == "Runtime.exceptionThrown":
            problems.append(f"exception: {params['exceptionDetails']['text']}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1900)
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("google-chrome") or "chromium")
    options = parser.parse_args()
    problems = picture(
        options.dataset / "report.html",
        options.picture,
        width=options.width,
        height=options.height,
        dark=options.dark,
        phone=options.phone,
        binary=options.browser,
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{options.picture}: {options.picture.stat().st_size:,} bytes, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
