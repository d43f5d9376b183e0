"""Secrets leave no text, in whatever way a server writes them; words that only look like a made-up key stay."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.scrub import MASK, SECRET_VARIABLES, Scrubber, scrub

KEY = "sk-Zy0/+9_very-secret"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.upper(),
        f"Authorization: Bearer {KEY}",
        json.dumps({"key": KEY}),
        json.dumps(KEY).replace("/", r"\/"),
        "sk-Zy0%2F%2B9_very-secret",
        KEY.encode().hex(),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(b"Bearer " + KEY.encode()).decode(),
        base64.b64encode(b":" + KEY.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_however_it_is_written(written: str) -> None:
    shown = Scrubber([KEY]).text(f"before {written} after")
    assert shown.startswith("before ") and shown.endswith(" after") and MASK in shown
    for left in (KEY, KEY.encode().hex(), base64.b64encode(KEY.encode()).decode()[:16]):
        assert left.lower() not in shown.lower()


def test_short_and_made_up_keys_eat_no_words() -> None:
    scrubber = Scrubber(["EMPTY", "x", "", "abc", "sk-test"])
    assert scrubber.text("An empty bar, tests of x and abc.") == "An empty bar, tests of x and abc."
    assert scrubber.text("key sk-test; EMPTY") == f"key {MASK}; {MASK}"


@given(st.binary(max_size=80))
def test_bytes_without_a_secret_stay_as_they_are(data: bytes) -> None:
    assert Scrubber([KEY]).data(data) == data
    assert Scrubber([KEY]).data(data + KEY.encode() + data) == data + MASK.encode() + data
    assert Scrubber([]).data(data) == data


@pytest.mark.parametrize("name", SECRET_VARIABLES)
def test_the_secrets_of_the_environment_are_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, f" {KEY}\n")
    assert scrub(f"refused: {KEY}") == f"refused: {MASK}"
