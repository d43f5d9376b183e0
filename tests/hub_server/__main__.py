"""``python -m tests.hub_server FOLDER``: serve until interrupted; the address is the first line of the output."""

import sys
from pathlib import Path

from tests.hub_server.server import HubServer

if __name__ == "__main__":
    server = HubServer(Path(sys.argv[1]), multipart_over=256 << 20, part_bytes=64 << 20)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.run()
