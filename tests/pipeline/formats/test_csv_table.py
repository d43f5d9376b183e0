"""The CSV as pandas and the csv module read it."""

import csv
import json

import pandas as pd
import pytest

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import LIGHT_COLUMNS, iter_rows
from fgmcaps.pipeline.formats.csv_table import cell
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from tests.factories import NASTY


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a", "a"), (1.5, "1.5"), (3, "3"), ([], "[]"), ([{"label": "C:maj"}], '[{"label": "C:maj"}]')],
)
def test_cells(value, text):
    assert cell(value) == text


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-x", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_and_it_can_be_read_back(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["'Round Midnight", "a=b", " =1", "", -1.5, -2, ["=1"]])
def test_what_is_no_formula_stays(value):
    assert not cell(value).startswith("''") and cell(value)[:1] in {"'", "a", " ", "", "-", "["}


def test_every_value_comes_back(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["csv"])
    with (tmp_path / "x" / "clips.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    rows = [row for _, row in iter_rows(three_splits, read_manifest(three_splits))]
    assert [t["id"] for t in table] == [row["id"] for row in rows]
    for got, row in zip(table, rows, strict=True):
        for name in LIGHT_COLUMNS:
            value = row[name]
            if value is None:
                assert got[name] == ""
            elif isinstance(value, list):
                assert json.loads(got[name]) == value
            else:
                assert type(value)(got[name]) == value
    assert any(t["title"] == NASTY for t in table), "quotes and Japanese survive"


def test_pandas_reads_it_and_the_second_table_names_every_column(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["csv"])
    frame, columns = (pd.read_csv(tmp_path / "x" / name) for name in ("clips.csv", "columns.csv"))
    assert list(frame.columns) == list(columns["column"])
    assert frame["tempo_bpm"].dtype == "float64"
    assert "audio" not in frame.columns
    assert columns.loc[columns["column"] == "tempo_bpm", "type"].item() == "float64"
