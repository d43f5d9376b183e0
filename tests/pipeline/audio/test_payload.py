"""The digest of the encoded audio does not see tags; tags are read in every container."""

import io
import os
import struct

import av
import numpy as np
import pytest

from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.audio.payload import read_payload

RATE = 24_000
CONTAINERS = {"mp3": "libmp3lame", "flac": "flac", "ogg": "libopus", "m4a": "aac", "wav": "pcm_s16le", "mka": "aac"}
FORMATS = {"m4a": "ipod", "mka": "matroska"}


def encode(suffix, seed=0, **tags):
    """Two seconds of noise with tags."""
    target = io.BytesIO()
    samples = (np.random.default_rng(seed).normal(size=(1, 2 * RATE)) * 3000).astype(np.int16)
    with av.open(target, "w", format=FORMATS.get(suffix, suffix)) as out:
        out.metadata.update(tags)
        stream = out.add_stream(CONTAINERS[suffix], rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return target.getvalue()


def payload_of(data):
    fd = os.memfd_create("test")
    try:
        os.write(fd, data)
        return read_payload(fd)
    finally:
        os.close(fd)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_other_tags_are_the_same_audio_and_other_audio_is_not(suffix):
    one = payload_of(encode(suffix, title="One", artist="Ann"))
    two = payload_of(encode(suffix, title="A much longer title " * 40, album="Two"))
    other = payload_of(encode(suffix, seed=1, title="One", artist="Ann"))
    assert one.digest is not None and one.digest == two.digest != other.digest
    assert (one.tags["title"], one.tags["artist"]) == ("One", "Ann")


def ape_tag(value):
    item = struct.pack("<II", len(value), 0) + b"Title\0" + value
    footer = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8) for flags in (5 << 29, 4 << 29)
    ]
    return footer[0] + item + footer[1]


@pytest.mark.parametrize(
    "tail",
    [
        b"TAG" + b"x" * 125,
        ape_tag(b"Three"),
        ape_tag(b"Three") + b"TAG" + b"x" * 125,
        b"LYRICSBEGININF00003abc000020LYRICS200TAG" + b"x" * 125,
    ],
)
def test_tags_at_the_end_of_an_mp3_are_not_audio(tail):
    bare = encode("mp3")
    assert payload_of(bare + tail).digest == payload_of(bare).digest


def test_one_stream_in_two_containers_is_one_audio():
    assert payload_of(encode("m4a")).digest == payload_of(encode("mka")).digest


@pytest.mark.parametrize("data", [b"", b"no audio", b"RIFF" + bytes(40), b"ID3\x04\0\0\0\0\0\x7f" + bytes(200)])
def test_what_is_no_audio_has_no_digest(data):
    assert payload_of(data).digest is None


def test_identify_gives_all_of_it():
    with Decoder() as decoder:
        found = decoder.identify(encode("flac", artist="Ann feat. Bob"))
    assert found.duration_s == 2.0 and found.tags.artists == ("ann", "bob") and len(found.fingerprint) > 8
