"""The table of `fgmcaps annotate-file` as a terminal shows it."""

import dataclasses
import io
import json

from fgmcaps.common.console import SafeConsole
from fgmcaps.pipeline.labels.annotate_file_view import annotation_json, annotation_view
from fgmcaps.schemas import Annotation, Caption, Labels, from_dict
from tests.factories import make_annotation, make_caption


def shown(annotation, caption=None, width=140):
    console = SafeConsole(file=io.StringIO(), width=width, force_terminal=False)
    console.print(annotation_view(annotation, caption))
    return console.file.getvalue()


def test_values_confidences_tools_and_caption_are_shown():
    annotation = make_annotation(6)
    caption = make_caption(annotation)
    text = shown(annotation, caption)
    for part in (
        "112.2 BPM, Allegro",
        "4/4, 4 beats in a bar",
        "Bb major",
        "Eb:maj 5.00–10.00",
        "0.95",
        "essentia-key: Bb major",
    ):
        assert part in text
    assert " ".join(caption.text.split()) in " ".join(text.replace("│", " ").split())
    assert annotation.clip.clip_id in text


def test_a_withheld_value_says_why():
    assert "withheld: low confidence" in shown(make_annotation(2))


def test_nothing_known_is_shown():
    assert "none" in shown(dataclasses.replace(make_annotation(1), labels=Labels()))


def test_a_hostile_name_has_no_effect():
    annotation = make_annotation(1)
    track = dataclasses.replace(annotation.clip.track, source_path="[red]x[/red]\x1b[2J\n.wav")
    text = shown(dataclasses.replace(annotation, clip=dataclasses.replace(annotation.clip, track=track)))
    assert "[red]x[/red]" in text
    assert "\x1b" not in text


def test_a_narrow_terminal_does_not_break_it():
    text = shown(make_annotation(6), make_caption(make_annotation(6)), width=40)
    assert max(map(len, text.splitlines())) <= 40


def test_json_has_everything():
    annotation = make_annotation(1)
    data = json.loads(json.dumps(annotation_json(annotation, make_caption(annotation))))
    caption = data.pop("caption")
    assert from_dict(Annotation, data) == annotation
    assert from_dict(Caption, caption) == make_caption(annotation)
    assert annotation_json(annotation)["caption"] is None
