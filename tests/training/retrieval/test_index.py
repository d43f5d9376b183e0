"""The search index: exact scores by brute force, quantised ones where quantising loses nothing, files, errors."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.nn import functional as F  # noqa: N812

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.retrieval.embeddings import Embeddings, similarity
from fgmcaps.training.retrieval.index import ClipIndex, ClipInfo


def _embeddings(kind, count, seed=0, dim=12, longest=9, prototypes=None):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count,), generator=generator).tolist()
    frames = []
    for length in lengths:
        x = torch.randn(length, dim, generator=generator)
        if prototypes is not None:
            x = prototypes[torch.randint(len(prototypes), (length,), generator=generator)]
        frames.append(F.normalize(x, dim=-1))
    return Embeddings(kind, F.normalize(torch.randn(count, dim, generator=generator), dim=-1), tuple(frames))


def _index(clips, **kwargs):
    return ClipIndex.of(clips, [ClipInfo(f"clip-{i}", f"track-{i // 2}", 1.5 * i, f"C {i}") for i in range(len(clips))])


def _halved(e):
    return Embeddings(e.kind, e.global_.half().float(), tuple(f.half().float() for f in e.frames))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 4), st.sampled_from(["global", "frame", "fused"]))
def test_exact_scores_are_those_of_the_frame_score(seed, clips, texts, view):
    audio, text = _embeddings("audio", clips, seed), _embeddings("text", texts, seed + 1)
    index = _index(audio)
    expected = similarity(text, _halved(audio), view, 0.3).numpy()
    assert index.exact_scores(text, view, 0.3) == pytest.approx(expected, abs=1e-5)
    rows = np.array(sorted({0, clips // 2, clips - 1}))
    assert index.exact_scores(text, view, 0.3, rows) == pytest.approx(expected[:, rows], abs=1e-5)


def test_quantising_frames_that_are_few_prototypes_loses_nothing():
    prototypes = F.normalize(torch.randn(6, 12, generator=torch.Generator().manual_seed(5)), dim=-1)
    audio, text = _embeddings("audio", 300, prototypes=prototypes), _embeddings("text", 3, 9)
    index = _index(audio).quantise(clusters=6)
    for view in ("frame", "fused"):
        exact, rough = index.exact_scores(text, view, 0.6), index.approximate_scores(text, view, 0.6)
        assert rough == pytest.approx(exact, abs=2e-3)


def test_rescored_results_are_the_exact_ones():
    audio, text = _embeddings("audio", 400), _embeddings("text", 1, 7)
    index = _index(audio).quantise(clusters=64)
    exact = index.search(text, view="frame", top=10, exact=True)
    found = index.search(text, view="frame", top=10, exact=False, rescore=200)
    assert len({h.row for h in exact} & {h.row for h in found}) >= 9
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
    truth = index.exact_scores(text, "frame", 0.6)[0]
    assert all(h.score == pytest.approx(truth[h.row], abs=1e-6) for h in found)
    everything = index.search(text, view="frame", top=10, exact=False, rescore=400)
    assert [h.row for h in everything] == [h.row for h in exact]


def test_results_name_their_clips_and_ties_keep_the_order():
    one = _embeddings("audio", 1)
    index = _index(Embeddings.join([one, one, one]))
    hits = index.search(_embeddings("text", 1, 3), top=2)
    assert [(h.place, h.clip.id, h.row) for h in hits] == [(1, "clip-0", 0), (2, "clip-1", 1)]
    assert hits[1].to_dict() | {"score": 0} == {
        "place": 2, "score": 0, "id": "clip-1", "track_id": "track-0", "start_s": 1.5, "caption": "C 1"
    }  # fmt: skip
    assert torch.equal(index.clip(2).frames[0], one.frames[0].half().float())


@pytest.mark.parametrize("quantised", [False, True])
def test_an_index_comes_back_from_disk(tmp_path, quantised):
    index, text = _index(_embeddings("audio", 50)), _embeddings("text", 1, 2)
    index = index.quantise(16) if quantised else index
    index.save(tmp_path / "index")
    again = ClipIndex.open(tmp_path / "index")
    assert again.clips == index.clips and (again.quantised is not None) == quantised
    assert [h.to_dict() for h in again.search(text, exact=not quantised)] == [
        h.to_dict() for h in index.search(text, exact=not quantised)
    ]
    index.save(tmp_path / "twice")
    assert (tmp_path / "twice" / "index.safetensors").read_bytes() == (
        tmp_path / "index" / "index.safetensors"
    ).read_bytes()


def test_damaged_and_missing_indexes_are_named(tmp_path):
    with pytest.raises(FgmcapsError, match="no search index"):
        ClipIndex.open(tmp_path)
    _index(_embeddings("audio", 5)).save(tmp_path / "a")
    data = (tmp_path / "a" / "index.safetensors").read_bytes()
    (tmp_path / "a" / "index.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(InvalidDataError, match="a: damaged index"):
        ClipIndex.open(tmp_path / "a")
    _index(_embeddings("audio", 5)).save(tmp_path / "b")
    _index(_embeddings("audio", 6)).save(tmp_path / "c")
    (tmp_path / "b" / "rows.parquet").write_bytes((tmp_path / "c" / "rows.parquet").read_bytes())
    with pytest.raises(InvalidDataError, match="do not belong together"):
        ClipIndex.open(tmp_path / "b")


def test_wrong_use_is_refused():
    index = _index(_embeddings("audio", 5))
    with pytest.raises(FgmcapsError, match="one embedded text"):
        index.search(_embeddings("text", 2))
    with pytest.raises(FgmcapsError, match="one embedded text"):
        index.search(_embeddings("audio", 1))
    with pytest.raises(FgmcapsError, match="not quantised"):
        index.approximate_scores(_embeddings("text", 1), "frame", 0.6)
    with pytest.raises(FgmcapsError, match="one embedded clip a row"):
        ClipIndex.of(_embeddings("text", 1), [ClipInfo("a")])


def test_similarity_takes_either_order_and_refuses_one_kind():
    audio, text = _embeddings("audio", 3), _embeddings("text", 2, 1)
    for view in ("global", "frame", "fused"):
        assert torch.equal(similarity(audio, text, view, 0.5), similarity(text, audio, view, 0.5).T)
    assert similarity(audio, audio, "global", 0.5).shape == (3, 3)
    with pytest.raises(FgmcapsError, match="both sides are audio"):
        similarity(audio, audio, "frame", 0.5)
    with pytest.raises(FgmcapsError, match="needs the frame view"):
        similarity(audio.global_, text, "fused", 0.5)
    assert len(audio[1:]) == 2 and torch.equal(audio[-1].frames[0], audio.frames[2])


def _tensors(change):
    def spoil(folder):
        tensors = load_file(folder / "index.safetensors")
        change(tensors)
        save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "index.safetensors")

    return spoil


def _rows(change):
    def spoil(folder):
        table = change(pq.read_table(folder / "rows.parquet"))
        pq.write_table(table, folder / "rows.parquet")

    return spoil


def _meta(text):
    return lambda folder: (folder / "index.json").write_text(text)


HOSTILE = {
    "columns beyond the centroids": _tensors(lambda t: t["columns"].fill_(10**9)),
    "columns below 0": _tensors(lambda t: t["columns"].fill_(-1)),
    "pointers beyond the shares": _tensors(lambda t: t["pointers"].fill_(10**12)),
    "pointers that go back": _tensors(lambda t: t.update(pointers=t["pointers"].flip(0))),
    "ends that go back": _tensors(lambda t: t.update(ends=t["ends"].flip(0))),
    "ends below 0": _tensors(lambda t: t["ends"][:1].fill_(-(2**63))),
    "ends of another type": _tensors(lambda t: t.update(ends=t["ends"].float())),
    "ends of two dimensions": _tensors(lambda t: t.update(ends=t["ends"][:, None])),
    "an empty clip": _tensors(lambda t: t["ends"][1:2].copy_(t["ends"][:1])),
    "frames of another width": _tensors(lambda t: t.update(frames=t["frames"][:, :5])),
    "frames of one dimension": _tensors(lambda t: t.update(frames=t["frames"][:, 0])),
    "centroids of another width": _tensors(lambda t: t.update(centroids=t["centroids"][:, :5])),
    "frames that are NaN": _tensors(lambda t: t["frames"].fill_(float("nan"))),
    "shares that are infinite": _tensors(lambda t: t["shares"].fill_(float("inf"))),
    "a tensor more": _tensors(lambda t: t.update(evil=torch.zeros(1))),
    "no frames": _tensors(lambda t: t.pop("frames")),
    "no columns": _tensors(lambda t: t.pop("columns")),
    "no clips": _tensors(lambda t: t.update(ends=t["ends"][:0], **{"global": t["global"][:0]})),
    "a row less": _rows(lambda t: t.slice(1)),
    "ids that are numbers of another kind": _rows(lambda t: t.set_column(0, "id", pa.array([[1]] * len(t)))),
    "no ids": _rows(lambda t: t.drop_columns(["id"])),
    "empty ids": _rows(lambda t: t.set_column(0, "id", pa.array([None] * len(t), pa.string()))),
    "no rows": lambda folder: (folder / "rows.parquet").write_bytes(b"PAR1"),
    "a list": _meta("[]"),
    "nesting": _meta("[" * 100_000),
    "ten megabytes": _meta(json.dumps({"format": "figma-index/1"}) + " " * 10_000_000),
    "no model": _meta(json.dumps({"format": "figma-index/1"})),
    "not a number": _meta('{"format": NaN, "model": ""}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_index_is_refused_in_one_line(tmp_path, name):
    """scipy takes the columns of a sparse matrix at their word, and would read beyond the memory."""
    _index(_embeddings("audio", 60)).quantise(clusters=8).save(tmp_path)
    HOSTILE[name](tmp_path)
    with pytest.raises(InvalidDataError) as caught:
        ClipIndex.open(tmp_path)
    assert str(tmp_path) in str(caught.value) and len(str(caught.value).splitlines()) == 1
