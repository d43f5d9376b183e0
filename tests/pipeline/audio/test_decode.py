"""The decoder against every kind of file that a folder of music may hold."""

import contextlib
import hashlib
import io
import itertools
import os
import pickle
import struct
import subprocess
import sys
import threading
import time

import av
import numpy as np
import psutil
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.decode_worker import Mixer, block_rms
from fgmcaps.pipeline.audio.mp3_length import count_frames, parse_frame_header
from fgmcaps.pipeline.audio.streams import container_name

RATE = 44_100


def tune(seconds, rate=RATE, channels=2, seed=0):
    """float32[n, channels]: sines of 220 Hz and up, a little noise, full scale below 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    columns = [0.3 * np.sin(2 * np.pi * 110 * (c + 2) * t) for c in range(channels)]
    return (np.stack(columns, 1) + 0.02 * rng.standard_normal((len(t), channels))).astype(np.float32)


def encoded(samples, rate=RATE, fmt="WAV", subtype=None):
    buffer = io.BytesIO()
    with sf.SoundFile(buffer, "w", rate, samples.shape[1], format=fmt, subtype=subtype) as file:
        for start in range(0, len(samples), rate):  # libsndfile's Vorbis and MP3 writers overflow on one huge write
            file.write(samples[start : start + rate])
    return buffer.getvalue()


def wav_header(data_bytes, frames_claimed_bytes, channels=1, rate=RATE):
    fmt = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    head = b"RIFF" + struct.pack("<I", (frames_claimed_bytes + 36) & 0xFFFFFFFF) + b"WAVEfmt " + fmt
    return head + b"data" + struct.pack("<I", frames_claimed_bytes) + data_bytes


@pytest.fixture(scope="module")
def decoder():
    with Decoder(timeout_s=30) as made:
        yield made


@pytest.fixture(scope="module")
def tunes():
    samples = tune(12)
    return {
        "wav": encoded(samples),
        "flac": encoded(samples, fmt="FLAC"),
        "mp3": encoded(samples, fmt="MP3"),
        "ogg": encoded(samples, fmt="OGG", subtype="VORBIS"),
    }


def refused(decoder, audio, reason, method="envelope"):
    with pytest.raises(DecodeError) as caught:
        getattr(decoder, method)(audio)
    assert caught.value.reason == reason, caught.value
    return caught.value


def test_a_float_wav_is_read_sample_by_sample(decoder, tmp_path):
    samples = tune(3, channels=3)
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(samples, subtype="FLOAT"))
    info = decoder.probe(path)
    assert (info.sample_rate, info.channels, info.duration_s, info.format) == (RATE, 3, 3.0, "WAV/FLOAT")
    got, rate = decoder.read(path, 0.5, 1.25)
    expected = samples[22050 : 22050 + 55125].astype(np.float64).mean(axis=1)
    assert rate == RATE
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-7)


def test_the_envelope_is_the_rms_of_half_seconds(decoder):
    samples = tune(75.3, rate=11_025, channels=2)  # an odd rate, more than two internal chunks, a short last hop
    got = decoder.envelope(encoded(samples, rate=11_025, subtype="FLOAT"))
    mix = samples.astype(np.float64).mean(axis=1)
    edges = [i * 11_025 // 2 for i in range(151)] + [len(mix)]
    expected = [np.sqrt(np.mean(mix[a:b] ** 2)) for a, b in itertools.pairwise(edges)]
    assert got.duration_s == len(mix) / 11_025
    assert got.rms.dtype == np.float32
    assert not got.truncated
    np.testing.assert_allclose(got.rms, expected, rtol=1e-5)


@given(st.integers(1, 9000), st.sampled_from([1000, 1001, 1024, 1999]))
def test_every_hop_is_covered_once(frames, rate):
    samples = np.ones(frames, np.float32)
    rms = block_rms(samples, rate)
    assert len(rms) == -(-frames * 2 // rate)
    np.testing.assert_array_equal(rms, 1)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg"])
def test_a_window_is_the_same_in_any_order_and_equals_the_whole_decode(decoder, tunes, kind):
    data = tunes[kind]
    whole, _ = decoder.read(data, 0, 60)
    windows = [(9.7, 1.0), (0.0, 0.5), (5.123, 3.0), (9.7, 1.0), (11.5, 2.0), (5.123, 3.0)]
    for start, seconds in windows:
        got, rate = decoder.read(data, start, seconds)
        first = round(start * rate)
        np.testing.assert_array_equal(got, whole[first : first + round(seconds * rate)])
    assert len(whole) == 12 * RATE


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 11), st.floats(0.01, 3))
def test_any_window_of_an_mp3_equals_the_whole_decode(decoder, tunes, start, seconds):
    whole, rate = decoder.read(tunes["mp3"], 0, 60)
    got, _ = decoder.read(tunes["mp3"], start, seconds)
    np.testing.assert_array_equal(got, whole[round(start * rate) :][: round(seconds * rate)])


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg"])
def test_a_truncated_file_gives_what_is_there_and_says_so(decoder, tunes, kind):
    whole, _ = decoder.read(tunes[kind], 0, 60)
    half = tunes[kind][: len(tunes[kind]) // 2]
    got = decoder.envelope(half)
    assert got.truncated
    assert 4.5 < got.duration_s < 7.5
    window, rate = decoder.read(half, 1.0, 3.0)
    np.testing.assert_array_equal(window, whole[rate : 4 * rate])
    tail, _ = decoder.read(half, got.duration_s - 1, 30)  # what the envelope promises is there, to the last sample
    assert len(tail) == round(got.duration_s * rate) - round((got.duration_s - 1) * rate)
    assert refused_window(decoder, half, 11.0) == "past_end"
    assert not decoder.envelope(tunes[kind]).truncated


def refused_window(decoder, audio, start):
    with pytest.raises(DecodeError) as caught:
        decoder.read(audio, start, 1.0)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg"])
@pytest.mark.parametrize("size", [4, 50, 1000])
def test_a_file_cut_before_its_first_sample_is_an_error(decoder, tunes, kind, size):
    with pytest.raises(DecodeError) as caught:
        decoder.envelope(tunes[kind][:size])
    assert caught.value.reason in {"truncated", "corrupt", "empty", "not_audio"}
    assert not caught.value.retryable


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_files_give_samples_or_a_decode_error_and_the_worker_lives(decoder, tunes, data):
    kind = data.draw(st.sampled_from(sorted(tunes)))
    broken = bytearray(tunes[kind])
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(0, min(len(broken), 5000) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    try:
        got = decoder.envelope(bytes(broken))
        assert np.isfinite(got.rms).all()
        assert got.duration_s > 0
    except DecodeError as error:
        assert error.reason not in {"internal", "timeout"}, error


def test_a_header_that_claims_2_to_the_31_frames_costs_nothing(decoder):
    data = tune(2)[:, :1]
    pcm = (data * 32767).astype("<i2").tobytes()
    got = decoder.envelope(wav_header(pcm, 0xFFFFFFF0))
    assert (got.duration_s, got.truncated) == (2.0, True)
    flac = bytearray(encoded(data, fmt="FLAC"))
    # STREAMINFO: 36 bits of total samples end at byte 26 of the file.
    total = int.from_bytes(flac[21:26], "big")
    flac[21:26] = ((total & ~(2**36 - 1)) | (2**36 - 1)).to_bytes(5, "big")
    assert decoder.probe(bytes(flac)).duration_s == pytest.approx((2**36 - 1) / RATE)
    begin = time.monotonic()
    got = decoder.envelope(bytes(flac))
    assert (got.duration_s, got.truncated) == (2.0, True)
    assert len(decoder.read(bytes(flac), 0.5, 3600)[0]) == round(1.5 * RATE)
    assert time.monotonic() - begin < 5


def test_a_flac_that_states_no_length_is_decoded_to_its_last_sample(decoder):
    samples = tune(5.3)
    flac = bytearray(encoded(samples, fmt="FLAC", subtype="PCM_24"))
    flac[21:26] = (int.from_bytes(flac[21:26], "big") & ~(2**36 - 1)).to_bytes(5, "big")
    got = decoder.envelope(bytes(flac))
    assert (got.duration_s, got.truncated) == (5.3, False)
    assert decoder.probe(bytes(flac)).duration_s is None
    window, rate = decoder.read(bytes(flac), 4.0, 5)
    np.testing.assert_allclose(window, samples.mean(axis=1)[4 * rate :], atol=1e-6)


def small_mp3(samples, rate, quality, mode="VARIABLE"):
    buffer = io.BytesIO()
    options = {"format": "MP3", "bitrate_mode": mode, "compression_level": quality}
    with sf.SoundFile(buffer, "w", rate, samples.shape[1], **options) as file:
        for start in range(0, len(samples), rate):
            file.write(samples[start : start + rate])
    return buffer.getvalue()


@pytest.mark.parametrize(("rate", "mode"), [(44_100, "VARIABLE"), (24_000, "CONSTANT")])
def test_an_mp3_of_low_bit_rate_has_no_seams_between_blocks(decoder, rate, mode):
    data = small_mp3(tune(12, rate=rate, channels=1), rate, 0.99, mode)
    with sf.SoundFile(io.BytesIO(data)) as file:
        at_once = file.read(dtype="float32")  # one call: the decoder is never interrupted
    whole, _ = decoder.read(data, 0, 60)
    if b"Xing" not in data[:200] and b"Info" not in data[:200]:
        assert len(at_once) - len(whole) == 529  # with a length header the decoder leaves out its own delay
        at_once = at_once[529:]
    np.testing.assert_allclose(whole, at_once, atol=1e-6)
    for start in (3.3, 8.125, 3.3):
        window, _ = decoder.read(data, start, 2)
        np.testing.assert_allclose(window, at_once[round(start * rate) :][: 2 * rate], atol=1e-6)


def without_length_header(data):
    """The MP3 without its first frame, which is the Xing or Info header."""
    size = parse_frame_header(data).size
    assert b"Xing" in data[:size] or b"Info" in data[:size]
    return data[size:]


def test_an_mp3_of_variable_rate_without_a_length_header_is_decoded_to_its_end(decoder):
    samples = np.concatenate([tune(5), tune(10) * 1e-4])  # the rate falls after 5 s
    data = without_length_header(small_mp3(samples, RATE, 0.2))
    with sf.SoundFile(io.BytesIO(data)) as file:
        assert file.frames < 14 * RATE or file.frames > 16 * RATE  # libsndfile alone is far off
    got = decoder.envelope(data)
    assert got.duration_s == pytest.approx(15, abs=0.1)
    assert not got.truncated
    assert got.rms[2] > 0.1
    assert 0 < got.rms[-4] < 0.001


def test_an_mp3_of_constant_rate_without_a_length_header_is_whole_too(decoder, tunes):
    got = decoder.envelope(without_length_header(tunes["mp3"]))
    assert got.duration_s == pytest.approx(12, abs=0.1)
    assert not got.truncated


@pytest.mark.parametrize(
    ("header", "size"),
    [(b"\xff\xfb\x90\x00", 417), (b"\xff\xfb\x92\x00", 418), (b"\xff\xfa\xe4\x00", 960), (b"\xff\xf3\x84\xc0", 192)],
)
def test_frame_sizes_by_hand(header, size):
    # 144 * 128000 / 44100 = 417.96, with padding one more; 144 * 320000 / 48000 = 960; 72 * 64000 / 24000 = 192
    assert parse_frame_header(header).size == size


@given(st.binary(max_size=600))
def test_counting_frames_of_any_bytes_ends(data):
    first = parse_frame_header(b"\xff\xfb\x90\x00")
    assert count_frames(data, 0, first) <= len(data) // 24
    assert count_frames(b"\xff\xfb\x90\x00".ljust(417, b"\0") * 3 + data, 0, first) >= 3


def test_a_length_left_open_by_a_writer_to_a_pipe_is_not_truncation(decoder):
    pcm = (tune(2)[:, 0] * 32767).astype("<i2").tobytes()
    got = decoder.envelope(wav_header(pcm, 0xFFFFFFFF))
    assert (got.duration_s, got.truncated) == (2.0, False)


@pytest.mark.parametrize("rate", [8_000, 192_000])
def test_rates_far_from_the_usual(decoder, rate):
    samples = tune(1, rate=rate)
    got, got_rate = decoder.read(encoded(samples, rate=rate, subtype="FLOAT"), 0, 5)
    assert got_rate == rate
    np.testing.assert_allclose(got, samples.mean(axis=1), atol=1e-7)


def test_eight_channels_are_averaged(decoder):
    samples = np.repeat(np.arange(8, dtype=np.float32)[None] / 16, RATE, axis=0)
    got, _ = decoder.read(encoded(samples, subtype="FLOAT"), 0, 1)
    np.testing.assert_array_equal(got, np.float32(3.5 / 16))
    assert Mixer(8).mix(samples[:2]).tolist() == [3.5 / 16] * 2


@pytest.mark.parametrize(("samples", "rms"), [(np.zeros((RATE, 2)), 0.0), (np.full((RATE, 2), 0.25), 0.25)])
def test_silence_and_dc_are_sound_files(decoder, samples, rms):
    got = decoder.envelope(encoded(samples.astype(np.float32), subtype="FLOAT"))
    np.testing.assert_allclose(got.rms, [rms, rms])


def test_a_tenth_of_a_second(decoder):
    got = decoder.envelope(encoded(tune(0.1)))
    assert got.duration_s == 0.1
    assert got.rms.shape == (1,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_an_error_of_the_windows_that_hold_them(decoder, bad):
    samples = tune(3)
    samples[2 * RATE, 1] = bad
    data = encoded(samples, subtype="FLOAT")
    refused(decoder, data, "not_finite")
    assert len(decoder.read(data, 0, 1.5)[0]) == round(1.5 * RATE)
    with pytest.raises(DecodeError, match="NaN or infinity"):
        decoder.read(data, 1.5, 1)


def test_no_audio_in_it(decoder, tmp_path):
    text = tmp_path / "notes.wav"
    text.write_text("these are my notes, not a song\n" * 50)
    error = refused(decoder, text, "not_audio")
    assert str(text) in str(error)
    assert not error.retryable
    empty = tmp_path / "empty.mp3"
    empty.touch()
    refused(decoder, empty, "empty")
    refused(decoder, encoded(tune(1)[:0]), "empty")
    refused(decoder, np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes(), "not_audio")
    refused(decoder, bytes(50_000), "not_audio")
    for method in ("probe", "envelope"):
        refused(decoder, text, "not_audio", method)


@pytest.mark.parametrize(
    "name", ["two words.wav", "Łódź 東京.wav", "new\nline.wav", "-i.wav", "quote'\".wav", "a.mp3", "noext", "x.m3u8"]
)
def test_names_do_not_matter(decoder, tmp_path, tunes, name, monkeypatch):
    (tmp_path / name).write_bytes(tunes["flac"])
    monkeypatch.chdir(tmp_path)
    assert decoder.envelope(name).duration_s == 12.0
    assert decoder.probe(tmp_path / name).format == "FLAC/PCM_16"


def test_a_name_that_is_not_unicode(decoder, tmp_path, tunes):
    path = os.fsencode(tmp_path) + b"/\xff\xfe.flac"
    with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(tunes["flac"])
    assert decoder.envelope(os.fsdecode(path)).duration_s == 12.0
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"no music")
    refused(decoder, os.fsdecode(path), "not_audio")


def test_what_is_no_regular_file_neither_hangs_nor_fills_memory(decoder, tmp_path):
    loop, zero, fifo, folder = (tmp_path / n for n in ("loop.wav", "zero.wav", "fifo.wav", "folder.wav"))
    loop.symlink_to(loop)
    zero.symlink_to("/dev/zero")
    os.mkfifo(fifo)
    folder.mkdir()
    begin = time.monotonic()
    for path in (loop, zero, fifo, folder, tmp_path / "missing.wav", tmp_path / "nul\0.wav", tmp_path / ("x" * 300)):
        error = refused(decoder, path, "unreadable")
        assert not error.retryable
    assert time.monotonic() - begin < 2


def test_a_file_without_permission_may_be_tried_again(decoder, tmp_path, tunes):
    path = tmp_path / "locked.flac"
    path.write_bytes(tunes["flac"])
    path.chmod(0)
    if os.geteuid() != 0:
        assert refused(decoder, path, "unreadable").retryable
        return
    # Root reads everything, so the refusal is asked of a decoder without its privileges.
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    code = (
        "import os, sys\n"
        "from fgmcaps.pipeline.audio.decode_worker import _open_regular\n"
        "from fgmcaps.common.isolated.server import HandlerError\n"
        "os.setgid(65534), os.setuid(65534)\n"
        "try:\n    _open_regular(sys.argv[1], 'locked')\n"
        "except HandlerError as error:\n    sys.stdout.write(repr(error.data))\n"
    )
    command = (sys.executable, "-c", code, str(path))
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out == "{'reason': 'unreadable', 'retryable': True}"


def test_too_long(tunes):
    with Decoder(max_hours=10 / 3600) as strict:
        error = refused(strict, tunes["ogg"], "too_long")
        assert "split it" in str(error)
        assert len(strict.read(tunes["ogg"], 0, 1)[0]) == RATE


@pytest.mark.slow
def test_a_decoder_that_was_stopped_is_tried_once_more(tunes):
    with Decoder(timeout_s=0.5) as decoder:
        decoder.versions()
        psutil.Process(decoder.pid).suspend()
        assert decoder.envelope(tunes["wav"]).duration_s == 12.0


@pytest.mark.slow
def test_a_decoder_that_hangs_costs_one_file(tunes):
    with Decoder(timeout_s=0.5) as decoder:
        decoder.versions()
        stop = threading.Event()

        def suspend_each():
            while not stop.wait(0.001):
                if decoder.pid is not None:
                    with contextlib.suppress(psutil.Error):
                        psutil.Process(decoder.pid).suspend()

        thread = threading.Thread(target=suspend_each)
        thread.start()
        error = refused(decoder, tunes["wav"], "timeout")
        stop.set()
        thread.join()
        assert error.retryable
        assert decoder.envelope(tunes["flac"]).duration_s == 12.0


def killed_while_decoding(decoder, data, times):
    """Result of ``envelope`` while its process is killed during the request, ``times`` times in a row."""
    outcome = []

    def ask():
        try:
            outcome.append(decoder.envelope(data))
        except DecodeError as error:
            outcome.append(error)

    decoder.versions()
    asking = threading.Thread(target=ask)
    before = None
    for turn in range(times):
        while decoder.pid in (None, before):
            time.sleep(0.001)
        before = decoder.pid
        psutil.Process(before).suspend()
        if turn == 0:
            asking.start()
            time.sleep(0.1)
        psutil.Process(before).kill()
    asking.join()
    return outcome[0]


@pytest.mark.slow
def test_a_crash_is_tried_once_more_in_a_fresh_process(tunes):
    with Decoder() as decoder:
        assert killed_while_decoding(decoder, tunes["flac"], 1).duration_s == 12.0
        error = killed_while_decoding(decoder, tunes["flac"], 2)
        assert (error.reason, error.retryable) == ("crash", True)
        assert "SIGKILL" in str(error)
        assert decoder.envelope(tunes["flac"]).duration_s == 12.0


def test_memory_stays_bounded_over_many_channels_and_minutes(decoder):
    samples = np.zeros((20 * 192_000, 8), np.float32)
    samples[:, 0] = 0.5
    data = encoded(samples, rate=192_000, fmt="FLAC")  # 123 MB of floats in a small file
    del samples
    decoder.versions()
    process = psutil.Process(decoder.pid)
    before = process.memory_info().rss
    assert decoder.envelope(data).duration_s == 20.0
    assert process.memory_info().rss - before < 80 << 20


def test_windows_that_are_none_are_refused_before_any_work(decoder, tunes):
    for start, seconds in [(-1, 1), (0, 0), (0, -1), (float("nan"), 1), (0, float("inf")), (0, 1e9)]:
        with pytest.raises(ValueError, match="not a window"):
            decoder.read(tunes["wav"], start, seconds)


def test_a_decode_error_survives_pickling():
    copy = pickle.loads(pickle.dumps(DecodeError("timeout", "a.mp3: slow", True)))
    assert (copy.reason, str(copy), copy.retryable) == ("timeout", "a.mp3: slow", True)


M4A_HEAD = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom\x00\x00\x00\x00" + bytes(100)


def test_signatures_name_the_container():
    assert container_name(M4A_HEAD) == "MPEG-4"
    assert container_name(b"OggS....") == "Ogg"
    assert container_name(b"hello") is None


def made_by_ffmpeg(samples, container, codec, rate=RATE, picture=False):
    """The bytes of a file in a format that libsndfile does not read."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        if picture:
            video = out.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        stream = out.add_stream(codec, rate=rate, layout="stereo" if samples.shape[1] == 2 else "mono")
        if codec.startswith("wma"):
            stream.bit_rate = 128_000
        name = stream.format.name
        for start in range(0, len(samples), 1024):
            block = samples[start : start + 1024]
            whole = {"s16": (block * 32767).astype(np.int16), "s32": (block * 2147483000).astype(np.int32)}
            block = np.ascontiguousarray(whole.get(name.removesuffix("p"), block))
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block.T) if name.endswith("p") else block.reshape(1, -1), name, stream.layout.name
            )
            frame.sample_rate, frame.pts = rate, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if picture:
            image = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), "yuv420p")
            out.mux(video.encode(image))
            out.mux(video.encode(None))
    return buffer.getvalue()


FORMATS = {
    "m4a": ("ipod", "aac", "mov,mp4,m4a,3gp,3g2,mj2/aac"),
    "alac": ("ipod", "alac", "mov,mp4,m4a,3gp,3g2,mj2/alac"),
    "wma": ("asf", "wmav2", "asf/wmav2"),
    "mka": ("matroska", "aac", "matroska,webm/aac"),
    "aac": ("adts", "aac", "aac/aac"),
    "ac3": ("ac3", "ac3", "ac3/ac3"),
}


@pytest.fixture(scope="module")
def foreign():
    samples = tune(6)
    return {name: made_by_ffmpeg(samples, *how[:2]) for name, how in FORMATS.items()}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_libsndfile_cannot_read_is_decoded_all_the_same(decoder, foreign, tmp_path, kind):
    samples = tune(6)
    path = tmp_path / f"song.{kind}"
    path.write_bytes(foreign[kind])
    info = decoder.probe(path)
    assert (info.sample_rate, info.channels, info.format) == (RATE, 2, FORMATS[kind][2])
    got = decoder.envelope(path)
    assert got.duration_s == pytest.approx(6, abs=0.1)
    assert not got.truncated
    whole, rate = decoder.read(path, 0, 60)
    assert np.sqrt(np.mean(whole**2)) == pytest.approx(np.sqrt(np.mean(samples.mean(axis=1) ** 2)), rel=0.05)
    for start in (4.2, 1.0, 4.2):
        window, _ = decoder.read(path.read_bytes(), start, 1.5)
        np.testing.assert_array_equal(window, whole[round(start * rate) :][: round(1.5 * rate)])


def test_a_lossless_format_gives_the_samples_themselves(decoder, foreign):
    got, _ = decoder.read(foreign["alac"], 0, 60)
    np.testing.assert_allclose(got, tune(6).mean(axis=1), atol=2e-4)  # ALAC of 16 bits


def test_an_aac_is_the_wave_that_went_in_with_the_delay_of_the_format_at_most(decoder, foreign):
    got, _ = decoder.read(foreign["m4a"], 1, 2)
    samples = tune(6).mean(axis=1)
    near = [np.corrcoef(got, samples[RATE + lag :][: 2 * RATE])[0, 1] for lag in range(-1200, 1200, 8)]
    assert max(near) > 0.98


def test_the_audio_of_a_video_is_taken_and_its_pictures_are_not(decoder):
    data = made_by_ffmpeg(tune(3), "mp4", "aac", picture=True)
    assert decoder.envelope(data).duration_s == pytest.approx(3, abs=0.1)


def test_a_video_without_audio_is_named_as_such(decoder):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        video = out.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        out.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), "yuv420p")))
        out.mux(video.encode(None))
    assert "no audio stream" in str(refused(decoder, buffer.getvalue(), "corrupt"))


def test_a_truncated_m4a(decoder):
    data = made_by_ffmpeg(tune(20), "ipod", "aac")
    assert data.index(b"mdat") < data.index(b"moov")  # the table of contents is at the end: nothing usable without it
    refused(decoder, data[: len(data) // 2], "corrupt")
    refused(decoder, M4A_HEAD, "corrupt")


@pytest.mark.parametrize("kind", ["wma", "mka"])
def test_a_truncated_stream_gives_what_is_there_and_says_so(decoder, foreign, kind):
    got = decoder.envelope(foreign[kind][: len(foreign[kind]) // 2])
    assert got.truncated and 2 < got.duration_s < 4


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_files_of_foreign_formats_give_samples_or_a_decode_error(decoder, foreign, data):
    kind = data.draw(st.sampled_from(sorted(foreign)))
    broken = bytearray(foreign[kind])
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    try:
        assert np.isfinite(decoder.envelope(bytes(broken)).rms).all()
    except DecodeError as error:
        assert error.reason not in {"internal", "timeout"}, error


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=3000))
def test_bytes_of_no_format_are_no_audio(decoder, data):
    with pytest.raises(DecodeError):
        decoder.envelope(data)


def test_memory_stays_bounded_over_a_long_foreign_file(decoder):
    data = made_by_ffmpeg(np.zeros((600 * 8_000, 1), np.float32), "ipod", "aac", rate=8_000)
    decoder.envelope(data)
    process = psutil.Process(decoder.pid)
    before = process.memory_info().rss
    assert decoder.envelope(data * 1).duration_s == pytest.approx(600, abs=1)
    assert process.memory_info().rss - before < 40 << 20


def test_playlists_are_no_way_to_other_files(decoder, tmp_path, tunes):
    other = tmp_path / "private.wav"
    other.write_bytes(tunes["wav"])
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\nfile://{other}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{other}'\n",
    ):
        refused(decoder, text.encode(), "not_audio")


def ffmpeg_file(fmt, codec, samples, rate=RATE):
    """float32[n, 1] in one of FFmpeg's containers."""
    target = io.BytesIO()
    with av.open(target, "w", format=fmt) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples.T * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return target.getvalue()


@pytest.mark.parametrize(
    ("fmt", "codec", "rate"),
    [("ogg", "libopus", 48_000), ("flac", "flac", RATE), ("mp3", "libmp3lame", RATE)],
)
def test_two_streams_in_one_file_are_read_to_the_end(decoder, fmt, codec, rate):
    parts = [tune(6, rate=rate, channels=1, seed=seed) for seed in (1, 2)]
    data = b"".join(ffmpeg_file(fmt, codec, part, rate) for part in parts)
    found = decoder.envelope(data)
    assert abs(found.duration_s - 12) < 0.2 and not found.truncated
    late, got_rate = decoder.read(data, 7, 4)
    assert len(late) == 4 * got_rate
    np.testing.assert_allclose(np.sqrt(np.mean(late**2)), np.sqrt(np.mean(parts[1] ** 2)), rtol=0.1)


def test_a_second_stream_of_another_layout_is_told(decoder):
    data = encoded(tune(6, channels=1), fmt="OGG") + encoded(tune(6, channels=2), fmt="OGG")
    found = decoder.envelope(data)
    assert found.truncated and 6 <= found.duration_s < 6.5


def patched(data, at, value):
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize("stated", [0, 20_000, 0xFFFFFFFF])
def test_a_wav_whose_header_says_too_little_is_read_to_its_end(decoder, stated):
    whole = encoded(tune(4, channels=1))
    at = whole.index(b"data") + 4
    found = decoder.envelope(patched(whole, at, struct.pack("<I", stated)))
    assert found.duration_s == 4.0 and not found.truncated


def test_chunks_after_the_audio_of_a_wav_are_no_audio(decoder):
    whole = encoded(tune(4, channels=1))
    more = b"LIST" + struct.pack("<I", 40_000) + b"INFO" + bytes(39_996)
    assert decoder.envelope(whole + more).duration_s == 4.0


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF])
def test_an_au_without_a_length_is_read_to_its_end(decoder, stated):
    whole = encoded(tune(4, channels=1), fmt="AU")
    assert decoder.envelope(patched(whole, 8, struct.pack(">I", stated))).duration_s == 4.0


def test_the_blocks_of_a_voc_are_no_sound(decoder):
    samples = tune(4, channels=1)
    got, rate = decoder.read(ffmpeg_file("voc", "pcm_s16le", samples), 0, 4)
    assert (len(got), rate) == (4 * RATE, RATE)
    np.testing.assert_allclose(got, samples[:, 0], atol=1e-3)


def test_channels_of_opposite_phase_are_no_silence(decoder):
    left = tune(12, channels=1)
    data = encoded(np.hstack([left, -left]), subtype="FLOAT")
    assert decoder.envelope(data).rms.min() > 0.1
    got, _ = decoder.read(data, 1, 5)
    np.testing.assert_allclose(got, left[RATE : 6 * RATE, 0], atol=1e-6)


def test_wide_stereo_keeps_its_mean(decoder):
    rng = np.random.default_rng(0)
    wide = (0.1 * rng.normal(size=(2 * RATE, 2))).astype(np.float32)
    got, _ = decoder.read(encoded(wide, subtype="FLOAT"), 0, 2)
    np.testing.assert_allclose(got, wide.mean(axis=1), atol=1e-7)


def test_what_is_no_plausible_file_is_not_read(decoder, tmp_path):
    with (tmp_path / "huge.wav").open("wb") as file:
        file.write(encoded(tune(1)))
        file.truncate(1 << 41)
    refused(decoder, tmp_path / "huge.wav", "too_large")
    with pytest.raises(DecodeError, match="on disk"):
        decoder.hash(tmp_path / "huge.wav")


def test_the_hash_is_that_of_the_bytes(decoder, tmp_path):
    # NIST FIPS 180-4 example: SHA-256 of "abc".
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert decoder.hash(tmp_path / "abc") == decoder.hash(b"abc") == expected


def test_bytes_of_another_track_are_refused(decoder, tunes):
    track_id = hashlib.sha256(tunes["wav"]).hexdigest()[:16]
    assert decoder.envelope(tunes["wav"], track_id=track_id).duration_s == 12.0
    for ask in (decoder.envelope, lambda data, track_id: decoder.read(data, 0, 1, track_id=track_id)):
        with pytest.raises(DecodeError) as caught:
            ask(tunes["flac"], track_id=track_id)
        assert caught.value.reason == "changed"
