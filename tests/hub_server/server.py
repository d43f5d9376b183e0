"""A Hub-compatible server on loopback, for tests with the real ``huggingface_hub`` and ``datasets``.

It keeps what a publisher relies on: a commit names its parent or is refused (412), large files go through Git LFS (one
PUT, or several parts and a completion) and are refused when their SHA-256 is not the promised one, a commit is visible
whole or not at all, tokens have rights. It injects faults (``faults.py``) and keeps a log of requests.

It is not the Hub: no Xet storage, no limits of size or rate, no Parquet conversion, no viewer, no git.
"""

import contextlib
import hashlib
import json
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.hub_server.faults import Fault, Faults
from tests.hub_server.store import Entry, Refused, Store

PAGE = 5  # files of a tree page: small, so that paging is used
_BLOCK = 1 << 16
_REPO = r"(?P<repo>[^/]+/[^/]+?)"
_KIND = r"(?:datasets|models)"  # one name space for both: a test has one repository of a name


@dataclass(frozen=True)
class Request:
    """One line of the log: method, path without query, status (0: connection cut), bytes of the body."""

    method: str
    path: str
    status: int
    received: int


class Cut(Exception):  # noqa: N818
    """The connection ends here."""


class HubServer:
    """The server, its repositories, its users and its faults. ``with HubServer(folder) as hub: ... hub.url``."""

    def __init__(self, root: Path, *, port: int = 0, multipart_over: int = 1 << 30, part_bytes: int = 1 << 29) -> None:
        self.store = Store(root)
        self.faults = Faults()
        self.log: list[Request] = []
        self.users = {"hf_writer": ("user", True), "hf_reader": ("user", False), "hf_other": ("other", True)}
        self.multipart_over, self.part_bytes = multipart_over, part_bytes
        handler = type("Handler", (_Handler,), {"hub": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def run(self) -> None:
        self._http.serve_forever(poll_interval=0.05)

    def commits(self, repo: str, branch: str = "main") -> list[str]:
        """Messages of a branch, newest first."""
        commit, out = self.store.commit_of(repo, branch), []
        while True:
            out.append(commit.message)
            if commit.parent is None:
                return out
            commit = self.store.commit_of(repo, commit.parent)

    def tree(self, repo: str, revision: str = "main") -> dict[str, Entry]:
        return self.store.commit_of(repo, revision).tree

    def read(self, repo: str, path: str, revision: str = "main") -> bytes:
        return self.store.path_of(self.tree(repo, revision)[path]).read_bytes()

    def write(self, repo: str, files: dict[str, bytes | None], branch: str = "main", message: str = "by hand") -> None:
        """A commit by somebody else; None deletes a file."""
        with self.store.lock:
            lines: list[dict] = [{"key": "header", "value": {"summary": message}}]
            head = self.store.repo(repo).branches[branch]
            tree = dict(self.store.commit_of(repo, head).tree)
            for path, data in files.items():
                if data is None:
                    del tree[path]
                else:
                    tree[path] = self.store.small(data)
            new = self.store._commit(self.store.repo(repo), head, lines[0]["value"]["summary"], tree)
            self.store.repo(repo).branches[branch] = new

    def uploads(self) -> list[Request]:
        """The requests that carried the bytes of large files."""
        return [request for request in self.log if request.method == "PUT" and request.status]


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.received, self.sent_status = 0, 0
        path = parts.path
        fault = self.hub.faults.take(f"{self.command} {unquote(path)}")
        self.fault = fault
        try:
            if fault is not None and fault.kind == "cut-request":
                self._cut_request()
            if fault is not None and fault.kind == "before" and fault.action is not None:
                fault.action()
            if fault is not None and fault.kind == "status":
                self._drain()
                raise Refused(fault.status, fault.message)
            if fault is not None and fault.kind == "nonsense":
                self._drain()
                self._json([7])
                return
            self._route(path, fault)
        except Refused as refusal:
            self._refuse(refusal, fault)
        except (Cut, ConnectionError):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        finally:
            self.hub.log.append(Request(self.command, unquote(path), self.sent_status, self.received))

    def _route(self, path: str, fault: Fault | None) -> None:
        for method, pattern, name, writes in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method.split():
                groups = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
                self._authorize(groups.get("repo"), writes)
                getattr(self, name)(**groups)
                return
        self._drain()
        raise Refused(404, f"no such page: {self.command} {path}")

    # -- rights ---------------------------------------------------------------------------------------------------

    def _authorize(self, repo: str | None, writes: bool) -> None:
        header = self.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
        if token and token not in self.hub.users:
            self._drain()
            raise Refused(401, "Invalid username or password.")
        self.user, can_write = self.hub.users.get(token, ("", False))
        if writes and not token:
            self._drain()
            raise Refused(401, "Invalid username or password.")
        if writes and (not can_write or (repo and repo.partition("/")[0] != self.user)):
            self._drain()
            raise Refused(403, "Forbidden: you don't have write access")
        known = self.hub.store.repos.get(repo or "")
        if known is not None and known.private and (repo or "").partition("/")[0] != self.user:
            self._drain()
            raise Refused(404 if token else 401, "Repository not found", "RepoNotFound")

    # -- repositories ---------------------------------------------------------------------------------------------

    def whoami(self) -> None:
        if not self.user:
            raise Refused(401, "Invalid username or password.")
        self._json({"name": self.user, "type": "user", "auth": {"accessToken": {"role": "write"}}, "orgs": []})

    def create(self) -> None:
        data = json.loads(self._body())
        name = f"{data.get('organization') or self.user}/{data['name']}"
        if name.partition("/")[0] != self.user:
            raise Refused(403, "You don't have the rights to create a dataset under this namespace")
        self.hub.store.create(name, private=data.get("visibility") == "private" or bool(data.get("private")))
        self._json({"url": f"{self.hub.url}/datasets/{name}", "name": name})

    def info(self, repo: str, revision: str = "main") -> None:
        commit = self.hub.store.commit_of(repo, revision)
        self._json(
            {
                "id": repo,
                "sha": commit.sha,
                "private": self.hub.store.repo(repo).private,
                "tags": [],
                "siblings": [{"rfilename": path} for path in sorted(commit.tree)],
            }
        )

    def refs(self, repo: str) -> None:
        stored = self.hub.store.repo(repo)
        self._json(
            {
                "branches": [
                    {"name": n, "ref": f"refs/heads/{n}", "targetCommit": s} for n, s in stored.branches.items()
                ],
                "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": s} for n, s in stored.tags.items()],
                "converts": [],
            }
        )

    def branch(self, repo: str, name: str) -> None:
        start = json.loads(self._body() or b"{}").get("startingPoint") or "main"
        stored = self.hub.store.repo(repo)
        if name in stored.branches:
            raise Refused(409, "Reference already exists")
        stored.branches[name] = self.hub.store.commit_of(repo, start).sha
        self._json({})

    def tag(self, repo: str, revision: str) -> None:
        name = json.loads(self._body())["tag"]
        stored = self.hub.store.repo(repo)
        if name in stored.tags:
            raise Refused(409, "Tag reference exists already")
        stored.tags[name] = self.hub.store.commit_of(repo, revision).sha
        self._json({})

    def files(self, repo: str, revision: str, folder: str = "") -> None:
        tree = self.hub.store.commit_of(repo, revision).tree
        entries = list(_listing(tree, folder, self.query.get("recursive", "").lower() in ("1", "true")))
        if folder and not entries:
            raise Refused(404, f"{folder} does not exist", "EntryNotFound")
        start = int(self.query.get("cursor", "0"))
        headers = {}
        if start + PAGE < len(entries):
            query = "&".join(f"{name}={value}" for name, value in self.query.items() if name != "cursor")
            here = f"{self.hub.url}{urlsplit(self.path).path}?{query}&cursor={start + PAGE}"
            headers["Link"] = f'<{here}>; rel="next"'
        self._json(entries[start : start + PAGE], headers)

    def paths_info(self, repo: str, revision: str) -> None:
        body = self._body()
        if "json" in self.headers.get("Content-Type", ""):
            paths = json.loads(body)["paths"]
        else:
            paths = parse_qs(body.decode()).get("paths", [])
        tree = self.hub.store.commit_of(repo, revision).tree
        everything = {entry["path"]: entry for entry in _listing(tree, "", True)}
        self._json([everything[path.rstrip("/")] for path in paths if path.rstrip("/") in everything])

    # -- commits --------------------------------------------------------------------------------------------------

    def validate_yaml(self) -> None:
        text = json.loads(self._body())["content"]
        errors = []
        try:
            front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
            if front and not isinstance(yaml.safe_load(front[1]), dict):
                errors.append({"message": "metadata is no mapping"})
        except yaml.YAMLError as error:
            errors.append({"message": str(error)})
        self._json({"errors": errors, "warnings": []}, status=400 if errors else 200)

    def preupload(self, repo: str, revision: str) -> None:
        data = json.loads(self._body())
        tree = self.hub.store.commit_of(repo, revision).tree
        out = []
        for file in data["files"]:
            there = tree.get(file["path"])
            out.append(
                {
                    "path": file["path"],
                    "uploadMode": self.hub.store.upload_mode(file["path"], file["size"]),
                    "shouldIgnore": self.hub.store.ignored(repo, revision, file["path"], data.get("gitIgnore")),
                    **({"oid": there.sha256 or there.blob} if there else {}),
                }
            )
        self._json({"files": out})

    def commit(self, repo: str, revision: str) -> None:
        lines = [json.loads(line) for line in self._body().splitlines() if line.strip()]
        sha = self.hub.store.commit(repo, revision, lines)
        self._json({"commitUrl": f"{self.hub.url}/datasets/{repo}/commit/{sha}", "commitOid": sha, "success": True})

    # -- large files ----------------------------------------------------------------------------------------------

    def lfs_batch(self, repo: str) -> None:
        out = []
        for item in json.loads(self._body())["objects"]:
            oid, size = item["oid"], item["size"]
            large = self.hub.store.large_path(oid)
            answer: dict = {"oid": oid, "size": size}
            if not (large.is_file() and large.stat().st_size == size):
                answer["actions"] = {
                    "upload": self._upload_action(oid, size),
                    "verify": {"href": f"{self.hub.url}/lfs/verify"},
                }
            out.append(answer)
        self._json({"transfer": "basic", "objects": out})

    def _upload_action(self, oid: str, size: int) -> dict:
        if size <= self.hub.multipart_over:
            return {"href": f"{self.hub.url}/lfs/{oid}"}
        parts = -(-size // self.hub.part_bytes)
        urls = {f"{n:05d}": f"{self.hub.url}/lfs/{oid}/part/{n}" for n in range(1, parts + 1)}
        header = {"chunk_size": str(self.hub.part_bytes), **urls}
        return {"href": f"{self.hub.url}/lfs/{oid}/complete", "header": header}

    def lfs_put(self, oid: str) -> None:
        path = self.hub.store.root / f"put-{uuid.uuid4().hex}"
        digest = self._save(path)
        if digest != oid:
            path.unlink()
            raise Refused(400, "the SHA-256 is not the promised one")
        path.replace(self.hub.store.large_path(oid))
        self._empty({"ETag": f'"{oid}"'})

    def lfs_part(self, oid: str, number: str) -> None:
        path = self.hub.store.root / f"part-{oid}-{int(number)}"
        digest = self._save(path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
        self._empty({"ETag": f'"{digest}"'})

    def lfs_complete(self, oid: str) -> None:
        data = json.loads(self._body())
        path = self.hub.store.root / f"put-{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        with path.open("wb") as whole:
            for part in sorted(data["parts"], key=lambda part: part["partNumber"]):
                piece = self.hub.store.root / f"part-{oid}-{part['partNumber']}"
                if not piece.is_file() or hashlib.sha256(piece.read_bytes()).hexdigest() != part["etag"].strip('"'):
                    raise Refused(400, f"part {part['partNumber']} is not there")
                whole.write(piece.read_bytes())
                digest.update(piece.read_bytes())
                piece.unlink()
        if digest.hexdigest() != oid:
            raise Refused(400, "the SHA-256 is not the promised one")
        path.replace(self.hub.store.large_path(oid))
        self._json({"success": True})

    def lfs_verify(self) -> None:
        data = json.loads(self._body())
        large = self.hub.store.large_path(data["oid"])
        if not large.is_file() or large.stat().st_size != data["size"]:
            raise Refused(404, "the file is not there")
        self._json({})

    # -- reading --------------------------------------------------------------------------------------------------

    def resolve(self, repo: str, revision: str, path: str) -> None:
        commit = self.hub.store.commit_of(repo, revision)
        if path not in commit.tree:
            raise Refused(404, "Entry not found", "EntryNotFound")
        entry = commit.tree[path]
        start, end = 0, entry.size - 1
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if span and entry.size:
            if span[1]:
                start, end = int(span[1]), min(int(span[2] or end), end)
            else:
                start = max(entry.size - int(span[2]), 0)
            if start > end:
                raise Refused(416, "range")
        headers = {
            "ETag": f'"{entry.sha256 or entry.blob}"',
            "X-Repo-Commit": commit.sha,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if entry.sha256:
            headers |= {"X-Linked-Etag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
        if span:
            headers["Content-Range"] = f"bytes {start}-{end}/{entry.size}"
        self._head(206 if span else 200, {**headers, "Content-Length": str(end - start + 1)})
        if self.command != "HEAD":
            self._send_file(self.hub.store.path_of(entry), start, end - start + 1)

    def _send_file(self, path: Path, start: int, length: int) -> None:
        cut = self.fault is not None and self.fault.kind == "cut-download"
        left = length // 2 if cut else length
        with path.open("rb") as handle:
            handle.seek(start)
            while left and (block := handle.read(min(left, _BLOCK))):
                self.wfile.write(block)
                left -= len(block)
        if cut:
            self.wfile.flush()
            raise Cut

    # -- bytes ----------------------------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[bytes]:
        """The request's body, by its length or in chunks."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self._exactly(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            block = self._exactly(min(left, _BLOCK))
            left -= len(block)
            yield block

    def _exactly(self, size: int) -> bytes:
        block = self.rfile.read(size)
        self.received += len(block)
        if len(block) < size:
            raise Cut
        return block

    def _body(self) -> bytes:
        return b"".join(self._blocks())

    def _drain(self) -> None:
        for _ in self._blocks():
            pass

    def _save(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("wb") as handle:
            for block in self._blocks():
                handle.write(block)
                digest.update(block)
        return digest.hexdigest()

    def _cut_request(self) -> None:
        left = int(self.headers.get("Content-Length") or 2) // 2
        while left > 0 and (block := self.rfile.read(min(left, _BLOCK))):
            self.received += len(block)
            left -= len(block)
        raise Cut

    def _head(self, status: int, headers: dict[str, str]) -> None:
        if self.fault is not None and self.fault.kind == "cut-answer":
            raise Cut
        self.sent_status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _json(self, data: object, headers: dict[str, str] | None = None, status: int = 200) -> None:
        body = json.dumps(data).encode()
        length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._head(status, {**(headers or {}), **length})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _empty(self, headers: dict[str, str]) -> None:
        self._head(200, {**headers, "Content-Length": "0"})

    def _refuse(self, refusal: Refused, fault: Fault | None) -> None:
        body = b"" if self.command == "HEAD" else json.dumps({"error": refusal.message}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        headers["X-Error-Message"] = refusal.message
        if refusal.code:
            headers["X-Error-Code"] = refusal.code
        if fault is not None and fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        with contextlib.suppress(Cut):
            self._head(refusal.status, headers)
            self.wfile.write(body)


def _listing(tree: dict[str, Entry], folder: str, recursive: bool) -> Iterator[dict]:
    """The entries of a tree page in order of path: files, and folders once each."""
    prefix = f"{folder}/" if folder else ""
    folders = set()
    for path in sorted(tree):
        if not path.startswith(prefix):
            continue
        inner = path[len(prefix) :].split("/")
        for depth in range(1, len(inner)):
            name = prefix + "/".join(inner[:depth])
            if name not in folders and (recursive or depth == 1):
                folders.add(name)
                yield {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0}
        if recursive or len(inner) == 1:
            entry = tree[path]
            large = {"lfs": {"oid": entry.sha256, "size": entry.size, "pointerSize": 130}} if entry.sha256 else {}
            yield {"type": "file", "path": path, "oid": entry.blob, "size": entry.size, **large}


_ROUTES: tuple[tuple[str, str, str, bool], ...] = (
    ("GET", r"/api/whoami-v2", "whoami", False),
    ("POST", r"/api/repos/create", "create", True),
    ("POST", r"/api/validate-yaml", "validate_yaml", False),
    ("GET", rf"/api/{_KIND}/{_REPO}", "info", False),
    ("GET", rf"/api/{_KIND}/{_REPO}/revision/(?P<revision>[^/]+)", "info", False),
    ("GET", rf"/api/{_KIND}/{_REPO}/refs", "refs", False),
    ("POST", rf"/api/{_KIND}/{_REPO}/branch/(?P<name>[^/]+)", "branch", True),
    ("POST", rf"/api/{_KIND}/{_REPO}/tag/(?P<revision>[^/]+)", "tag", True),
    ("GET", rf"/api/{_KIND}/{_REPO}/tree/(?P<revision>[^/]+)(?:/(?P<folder>.+))?", "files", False),
    ("POST", rf"/api/{_KIND}/{_REPO}/paths-info/(?P<revision>[^/]+)", "paths_info", False),
    ("POST", rf"/api/{_KIND}/{_REPO}/preupload/(?P<revision>[^/]+)", "preupload", True),
    ("POST", rf"/api/{_KIND}/{_REPO}/commit/(?P<revision>[^/]+)", "commit", True),
    ("POST", rf"(?:/datasets)?/{_REPO}\.git/info/lfs/objects/batch", "lfs_batch", True),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", "lfs_put", False),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})/part/(?P<number>[0-9]+)", "lfs_part", False),
    ("POST", r"/lfs/(?P<oid>[0-9a-f]{64})/complete", "lfs_complete", False),
    ("POST", r"/lfs/verify", "lfs_verify", False),
    ("GET HEAD", rf"(?:/datasets)?/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve", False),
)
