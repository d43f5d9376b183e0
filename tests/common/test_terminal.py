"""What others wrote gives the terminal no orders, and a terminal that cannot spell it is no error."""

import io
import json
import logging
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fgmcaps.common.console import SafeConsole
from fgmcaps.common.terminal import SafeFormatter, visible

CLIPBOARD = "a\x1b]52;c;aGk=\x07b"  # writes the clipboard of many terminals
ORDERS = ["\x1b[2J", CLIPBOARD, "\x9b31m", "over\rwritten", "back\x08\x08", "\x7f", "a\u202egpj.exe", "\u2066x\u2069"]
MAY_PASS = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*")


@pytest.mark.parametrize("text", ORDERS)
def test_orders_are_spelt_out(text):
    shown = visible(text)
    assert MAY_PASS.fullmatch(shown) and shown != text
    assert json.loads(f'"{shown}"') == text


def test_what_is_no_order_stays():
    text = "Für Elise\t[live] :smile:\nбит — 律動 \u200f\U0001f3b5"
    assert visible(text) == text


@given(st.text())
def test_any_text_in_json_is_the_same_afterwards(text):
    shown = visible(json.dumps({"x": text}, ensure_ascii=False))
    assert MAY_PASS.fullmatch(shown) and json.loads(shown) == {"x": text}


def printed(show, **settings):
    out = io.StringIO()
    show(SafeConsole(file=out, width=200, **settings))
    return out.getvalue()


@pytest.mark.parametrize("text", ORDERS)
def test_the_console_has_no_way_around_it(text):
    def table(console):
        made = Table(title=text)
        made.add_column(text)
        made.add_row(text)
        made.add_row(Text(text))
        console.print(made)

    for show in (
        table,
        lambda c: c.print(text),
        lambda c: c.print(Panel(text, title=Text(text), subtitle=text)),
        lambda c: c.out(text),
        lambda c: c.rule(text),
    ):
        assert MAY_PASS.fullmatch(printed(show))


def test_the_consoles_own_colours_pass():
    assert "\x1b[1m" in printed(
        lambda c: c.print(Text("x", style="bold")), force_terminal=True, color_system="standard"
    )


def test_markup_of_others_is_text():
    assert printed(lambda c: c.print("[red]a[/red] :smile: [link=http://x]y[/link]")).startswith("[red]a[/red] :smile:")


def test_log_lines_are_made_visible():
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", ("\x1b[2J",), None)
    assert SafeFormatter("%(message)s").format(record) == "\\u001b[2J"


SPELL = """
import sys
from fgmcaps.common.terminal import echo, prepare_streams
from fgmcaps.common.console import SafeConsole
from rich.table import Table
prepare_streams()
table = Table("律動"); table.add_row("é \\udcff")
SafeConsole().print(table)
echo("律動 é \\udcff"); echo("律動", err=True)
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_terminal_gets_what_it_can_spell(encoding):
    import os

    env = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", SPELL], capture_output=True, env=env)
    assert done.returncode == 0, done.stderr
    last = done.stdout.decode(encoding).splitlines()[-1]
    assert last == {"utf-8": "律動 é \\udcff", "ascii": "?? ? ?"}.get(encoding, "?? é ?")
    assert done.stderr.decode(encoding).strip() == ("律動" if encoding == "utf-8" else "\\u5f8b\\u52d5")
