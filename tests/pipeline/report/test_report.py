"""The report, read back as a browser would: a parser, not a search for strings, decides what is markup."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.dataset.stats import Histogram
from fgmcaps.pipeline.report import write_report
from fgmcaps.pipeline.report.all_clips import doubt_of
from fgmcaps.pipeline.report.build import histogram_columns, ticks
from fgmcaps.pipeline.report.clips import chord_hue, fifths_order, pretty_chord
from fgmcaps.pipeline.report.preview import outline, preview_of
from tests.factories import NASTY, build_dataset


class Page(HTMLParser):
    """Tags with attributes, text outside script and style, and the scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.scripts, self._inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside is None:
            self.words.append(data)

    def all(self, tag, css=None):
        return [
            attrs
            for name, attrs in self.tags
            if name == tag and (css is None or css in (attrs.get("class") or "").split())
        ]


@pytest.fixture(scope="module")
def report(good_dataset):
    return write_report(good_dataset, sample=6, seed=0).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(report):
    return Page(report)


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            if attributes.get(name) is not None:
                assert attributes[name].startswith("data:"), (tag, name)


def write_text(page):
    return " ".join(page.words)


def test_the_style_loads_nothing(report):
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_only_our_script_may_run(page):
    (script,) = page.scripts
    policy = next(
        attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_hostile_titles_are_text(page):
    shown = " ".join(NASTY.split())
    assert any(shown in words for words in page.words)
    assert len(page.all("script")) == 1


def test_clips_have_a_player_beats_chords_and_a_caption(page):
    assert len(page.all("article", "clip")) == 6
    audio = page.all("audio")
    assert len(audio) == 6
    data = base64.b64decode(audio[0]["src"].partition(",")[2])
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.samplerate, file.frames) == ("MP3", 24_000, 240_000)
    assert len(page.all("p", "caption")) == 6
    assert len(page.all("line")) > 60
    assert page.all("line", "down")
    assert all(0 <= float(line["x1"]) <= 480 for line in page.all("line"))


def test_numbers_are_on_the_page(page):
    text = write_text(page)
    for part in ("88.9 %", "madmom-downbeat", "CC-BY-NC-SA-4.0", "low_confidence", "silence", "timeout"):
        assert part in text


@pytest.mark.slow
def test_the_sample_is_the_same_for_a_seed_and_another_for_another(good_dataset, report):
    def ids(text):
        return re.findall(r"<summary>([0-9a-f]{16}-\d{8})", text)

    again = write_report(good_dataset, sample=6, seed=0).read_text(encoding="utf-8")
    other = write_report(good_dataset, sample=6, seed=1).read_text(encoding="utf-8")
    assert again == report
    assert len(ids(report)) == 6
    assert ids(other) != ids(report)
    fewer = write_report(good_dataset, sample=2, seed=0).read_text(encoding="utf-8")
    assert ids(fewer) == ids(report)[:2]


@pytest.mark.parametrize(("audio", "words"), [("path", "by path"), ("none", "carries no audio")])
def test_without_audio_the_report_says_so(tmp_path, audio, words):
    build_dataset(tmp_path, audio=audio)
    page = Page(write_report(tmp_path, sample=3).read_text(encoding="utf-8"))
    assert sum(words in text for text in page.words) == 3
    assert not page.all("audio")
    assert page.all("line")


def test_a_sample_larger_than_the_dataset_is_the_dataset(tmp_path):
    build_dataset(tmp_path, tracks=5, clips=1, audio="none")
    page = Page(write_report(tmp_path, sample=1000).read_text(encoding="utf-8"))
    assert len(page.all("article", "clip")) == 5
    with pytest.raises(ValueError, match="sample"):
        write_report(tmp_path, sample=-1)


def test_the_outline_follows_the_samples():
    samples = np.zeros(960, np.float32)
    samples[480:] = -0.5
    samples[0] = 1.0
    points = re.findall(r"(\d+) (-?[\d.]+)", outline(samples))
    assert len(points) == 960
    assert points[0] == ("0", "2.0")  # the highest sample, at the top
    assert points[-1] == ("0", "50.0")  # nothing below zero in the first part
    assert points[480] == ("479", "74.0")  # -0.5 of the peak: half way down


def test_silence_has_an_outline():
    assert preview_of(encode_flac(np.zeros(240_000, np.float32), 24_000)).outline.startswith("M0 50.0L")


@pytest.mark.parametrize("data", [b"", b"fLaC", b"\0" * 1000])
def test_audio_that_cannot_be_decoded_has_no_preview(data):
    assert preview_of(data) is None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("C:maj", "C"),
        ("A:min7/b3", "Am7/b3"),
        ("Bb:hdim7", "B♭m7♭5"),
        ("N", "–"),
        ("X", "?"),
        ("F#:sus4(b7)", "F♯sus4(b7)"),
        ("<b>", "<b>"),
    ],
)
def test_chords_as_musicians_write_them(label, expected):
    assert pretty_chord(label) == expected


def test_hues_follow_the_circle_of_fifths():
    assert [chord_hue(f"{root}:maj") for root in ("C", "G", "D", "F")] == [0, 30, 60, 330]
    assert chord_hue("N") is None
    assert chord_hue("<b>") is None


def test_keys_around_the_circle():
    major = fifths_order({"C major": 3, "G major": 2, "A minor": 9, "(other)": 1}, "major")
    minor = fifths_order({"C major": 3, "E minor": 4, "A minor": 9}, "minor")
    assert [name for name, _ in major][:3] == ["C", "G", "D"]
    assert [count for _, count in major] == [3, 2] + [0] * 10
    assert minor[:2] == [("A", 9), ("E", 4)]


def test_columns_and_ticks():
    histogram = Histogram((0.0, 10.0, 20.0, 30.0), (1, 4, 0), 1, 3, 12.0)
    assert [column.height for column in histogram_columns(histogram)] == [50.0, 100.0, 75.0]
    assert ticks(histogram, 20) == [(0.0, "0"), (66.67, "20")]


def test_a_click_stays_where_it_is():
    # Beats are drawn over the waveform while the preview plays: it may not be delayed by its codec.
    samples = np.zeros(240_000, np.float32)
    samples[120_000:120_024] = 0.9
    preview = preview_of(encode_flac(samples, 24_000))
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(preview.uri.partition(",")[2])))
    assert rate == 24_000
    assert abs(int(np.argmax(np.abs(heard))) - 120_012) < 0.005 * rate


def test_all_clips_are_listed_with_what_was_withheld(tmp_path):
    out = tmp_path / "out"
    build_dataset(out, tracks=9, clips=1, shards=1)
    page = write_report(out, sample=2).read_text(encoding="utf-8")
    table = page.split('<section class="card wide all"')[1].split("</section>")[0]
    assert table.count("<tr data-doubt=") == 9
    withheld = [row for _, row in iter_rows(out, read_manifest(out)) if row["key"] is None]
    assert withheld and "20 %</span>" in table and 'title="withheld: low confidence"' in table
    assert "doubtful" in page.split("A sample of clips")[1]


def test_doubt_is_that_of_the_least_sure_fact():
    row = {"tempo_confidence": 0.9, "meter_confidence": None, "key_confidence": 0.4, "chords_confidence": 0.8}
    assert doubt_of(row) == 0.6
    assert doubt_of(dict.fromkeys(row)) is None


def test_a_large_dataset_has_no_table_of_all_clips(tmp_path, monkeypatch):
    monkeypatch.setattr("fgmcaps.pipeline.report.all_clips.MOST_CLIPS", 3)
    build_dataset(tmp_path / "out", tracks=4, clips=1, shards=1)
    assert "All clips" not in write_report(tmp_path / "out", sample=1).read_text(encoding="utf-8")
