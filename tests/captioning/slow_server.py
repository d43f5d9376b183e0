"""Stands in for the vLLM command: healthy after ``--warm-up`` seconds, with a worker process that ignores SIGTERM.

Run as a file with the arguments of the real server; writes its process ids into the log for the test.
"""

import http.server
import os
import subprocess
import sys
import time

WORKER = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def option(name: str, default: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main() -> None:
    if "--fail" in sys.argv:
        sys.stderr.write("RuntimeError: no such model\n")
        sys.exit(3)
    worker = subprocess.Popen([sys.executable, "-c", WORKER])
    sys.stderr.write(f"pids {os.getpid()} {worker.pid}\n")
    time.sleep(float(option("--warm-up", "0")))

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    http.server.HTTPServer((option("--host", ""), int(option("--port", "0"))), Health).serve_forever()


if __name__ == "__main__":
    main()
