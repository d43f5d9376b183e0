"""The test server keeps the promises that the tests rely on: asked by plain HTTP, not by the client under test."""

import hashlib
import json

import httpx2
import pytest

REPO = "user/x"
AUTH = {"Authorization": "Bearer hf_writer"}


@pytest.fixture
def http(hub):
    hub.store.create(REPO, private=False)
    with httpx2.Client(base_url=hub.url, headers=AUTH) as client:
        yield client


def commit(http, parent, *operations):
    lines = [{"key": "header", "value": {"summary": "s", "parentCommit": parent}}, *operations]
    return http.post(f"/api/datasets/{REPO}/commit/main", content="\n".join(map(json.dumps, lines)))


def head(hub):
    return hub.store.repo(REPO).branches["main"]


SMALL = {"key": "file", "value": {"path": "a.txt", "content": "aGVsbG8K", "encoding": "base64"}}


def test_a_stale_parent_is_refused_whole(hub, http):
    first = head(hub)
    assert commit(http, first, SMALL).status_code == 200
    assert commit(http, first, SMALL).status_code == 412
    assert len(hub.commits(REPO)) == 2
    assert hub.read(REPO, "a.txt") == b"hello\n"
    assert hub.tree(REPO)["a.txt"].blob == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_a_commit_of_a_missing_large_file_is_refused_whole(hub, http):
    missing = {"key": "lfsFile", "value": {"path": "b.parquet", "oid": "0" * 64, "size": 3, "algo": "sha256"}}
    assert commit(http, head(hub), SMALL, missing).status_code == 400
    assert "a.txt" not in hub.tree(REPO)


def test_bytes_must_have_the_promised_hash(hub, http):
    data = b"x" * 1000
    oid = hashlib.sha256(data).hexdigest()
    assert http.put(f"/lfs/{oid}", content=data[:-1] + b"y").status_code == 400
    assert not hub.store.large_path(oid).exists()
    assert http.put(f"/lfs/{oid}", content=data).status_code == 200
    assert http.post("/lfs/verify", json={"oid": oid, "size": 1000}).status_code == 200
    assert http.post("/lfs/verify", json={"oid": oid, "size": 999}).status_code == 404


def test_parts_must_be_complete_and_have_the_promised_hash(hub, http):
    data = bytes(range(256)) * 600
    oid = hashlib.sha256(data).hexdigest()
    batch = http.post(
        f"/datasets/{REPO}.git/info/lfs/objects/batch", json={"objects": [{"oid": oid, "size": len(data)}]}
    ).json()
    action = batch["objects"][0]["actions"]["upload"]
    size = int(action["header"]["chunk_size"])
    parts = sorted(name for name in action["header"] if name.isdigit())
    assert len(parts) == -(-len(data) // size) == 3
    tags = []
    for number, name in enumerate(parts):
        answer = http.put(action["header"][name], content=data[number * size : (number + 1) * size])
        tags.append({"partNumber": number + 1, "etag": answer.headers["ETag"]})
    wrong = [*tags[:2], {"partNumber": 4, "etag": tags[2]["etag"]}]
    assert http.post(action["href"], json={"oid": oid, "parts": wrong}).status_code == 400


def test_rights(hub, http):
    for token, status in (("hf_reader", 403), ("hf_other", 403), ("expired", 401)):
        answer = http.post(
            f"/api/datasets/{REPO}/preupload/main",
            json={"files": []},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == status
    hub.store.repo(REPO).private = True
    assert httpx2.get(f"{hub.url}/api/datasets/{REPO}").status_code == 401
    assert http.get(f"/api/datasets/{REPO}").json()["private"] is True


def test_ranges_and_a_missing_file(hub, http):
    hub.write(REPO, {"a.txt": b"0123456789"})
    got = http.get(f"/datasets/{REPO}/resolve/main/a.txt", headers={"Range": "bytes=3-5"})
    assert (got.status_code, got.content, got.headers["Content-Range"]) == (206, b"345", "bytes 3-5/10")
    missing = http.head(f"/datasets/{REPO}/resolve/main/b.txt")
    assert (missing.status_code, missing.content) == (404, b"")
    assert missing.headers["X-Error-Code"] == "EntryNotFound"
    assert http.get(f"/datasets/{REPO}/resolve/main/a.txt").content == b"0123456789"  # the connection is still good
