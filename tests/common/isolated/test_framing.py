import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from fgmcaps.common.isolated.framing import DTYPES, MAGIC, PREFIX, FrameError, Message, decode, encode, parse_prefix

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text().filter(lambda name: name != "arrays"), JSON, max_size=4)
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from(DTYPES).flatmap(lambda d: st_np.arrays(np.dtype(d), st_np.array_shapes(min_dims=0, min_side=0))),
    max_size=4,
)


def parts(frame: bytes) -> tuple[bytes, np.ndarray]:
    header_bytes, payload_bytes = parse_prefix(frame[: PREFIX.size])
    header = frame[PREFIX.size : PREFIX.size + header_bytes]
    payload = np.frombuffer(frame[PREFIX.size + header_bytes :], np.uint8)
    assert len(payload) == payload_bytes
    return header, payload


@given(FIELDS, ARRAYS)
def test_every_message_survives_the_pipe_bit_by_bit(fields, arrays):
    out = decode(*parts(b"".join(encode(Message(fields, arrays)))))
    assert out.fields == fields
    assert list(out.arrays) == list(arrays)
    for name, array in arrays.items():
        assert out.arrays[name].dtype == array.dtype
        assert out.arrays[name].shape == array.shape
        assert out.arrays[name].tobytes() == array.tobytes()


@given(st.binary(max_size=300), st.binary(max_size=64))
def test_random_bytes_are_a_frame_error_and_nothing_else(header, payload):
    with pytest.raises(FrameError):
        parse_prefix(header[: PREFIX.size].replace(MAGIC, b"XXXX"))
    with pytest.raises(FrameError):
        decode(b"\xff" + header, np.frombuffer(payload, np.uint8))


@given(JSON, st.binary(max_size=64))
def test_a_valid_json_header_with_odd_arrays_is_a_frame_error_or_a_message(described, payload):
    header = json.dumps({"arrays": described}).encode()
    try:
        message = decode(header, np.frombuffer(payload, np.uint8))
    except FrameError:
        return
    assert sum(a.nbytes for a in message.arrays.values()) == len(payload)


def test_the_layout_on_the_wire_is_fixed():
    frame = b"".join(encode(Message({"a": 1}, {"x": np.array([[1, 2]], "<i2")})))
    header = b'{"a": 1, "arrays": [["x", "<i2", [1, 2]]]}'
    assert frame == b"FGW1" + struct.pack("<IQ", len(header), 4) + header + b"\x01\x00\x02\x00"


def test_big_endian_and_strided_arrays_are_sent_by_value():
    array = np.arange(12, dtype=">f4").reshape(3, 4)[::-1, ::2]
    out = decode(*parts(b"".join(encode(Message({}, {"x": array})))))
    np.testing.assert_array_equal(out.arrays["x"], array)
    assert out.arrays["x"].dtype == np.dtype("<f4")


@pytest.mark.parametrize(
    ("header_bytes", "payload_bytes"), [(2**32 - 1, 0), (10, 2**63), ((1 << 20) + 1, 0), (0, (1 << 30) + 1)]
)
def test_lengths_beyond_the_caps_are_refused_before_anything_is_read(header_bytes, payload_bytes):
    with pytest.raises(FrameError, match="more than the cap"):
        parse_prefix(PREFIX.pack(MAGIC, header_bytes, payload_bytes))


@pytest.mark.parametrize(
    "message",
    [
        Message({"x": float("nan")}),
        Message({"x": object()}),
        Message({"arrays": 1}),
        Message({}, {"x": np.array(["text"])}),
        Message({}, {"x": np.array([object()])}),
        Message({}, {"x": np.zeros((1,) * 9, "f4")}),
        Message({"x": "y" * (1 << 20)}),
    ],
)
def test_what_does_not_fit_is_refused_by_the_sender(message):
    with pytest.raises(FrameError):
        encode(message)


def test_the_payload_cap_holds_for_the_sender():
    with pytest.raises(FrameError, match="payload of 12 bytes"):
        encode(Message({}, {"x": np.zeros(3, "f4")}), max_payload_bytes=11)


@pytest.mark.parametrize(
    "described",
    [
        [["x", "|O", [1]]],
        [["x", "<f4", [-1]]],
        [["x", "<f4", [True]]],
        [["x", "<f4", [2**62, 2**62]]],
        [["x", "<f4", [1]], ["x", "<f4", [1]]],
        [["x", "<f4", [3]]],
        [["x", "<f4", []]],
        [["x", "<f4"]],
        {},
        None,
    ],
)
def test_array_descriptions_that_lie_are_refused(described):
    with pytest.raises(FrameError):
        decode(json.dumps({"arrays": described}).encode(), np.zeros(8, np.uint8))


def test_deep_json_is_a_frame_error_not_a_recursion_error():
    with pytest.raises(FrameError):
        decode(b"[" * 100_000, np.zeros(0, np.uint8))
