"""The Arrow schema and what `datasets` makes of it."""

import json

import datasets
import pyarrow as pa
import pytest

from fgmcaps.pipeline.dataset.columns_page import DOC_PATH, dataset_doc
from fgmcaps.schemas import CLIP_SAMPLE_RATE, FGMCAPS_SCHEMA_VERSION
from fgmcaps.schemas.arrow import COLUMNS, SCHEMA_VERSION_KEY, arrow_schema, features


def test_the_metadata_is_what_datasets_itself_writes():
    # datasets writes its features into the schema of every table that it makes: an independent golden value.
    theirs = json.loads(features().arrow_schema.metadata[b"huggingface"])
    ours = json.loads(arrow_schema().metadata[b"huggingface"])
    assert ours["info"]["features"] == theirs["info"]["features"]


def test_datasets_reads_our_schema_as_our_features():
    assert datasets.Features.from_arrow_schema(arrow_schema()) == features()
    assert features()["audio"] == datasets.Audio(sampling_rate=CLIP_SAMPLE_RATE)


def test_types_are_those_that_datasets_stores():
    assert [(f.name, f.type) for f in features().arrow_schema] == [(f.name, f.type) for f in arrow_schema()]


def test_the_version_travels_in_the_metadata():
    assert arrow_schema().metadata[SCHEMA_VERSION_KEY].decode() == FGMCAPS_SCHEMA_VERSION


def test_what_other_users_expect_is_there():
    assert {"id", "audio", "caption"} <= set(arrow_schema().names)  # MTEB's FGMCaps tasks


def test_columns_are_named_once_and_explained():
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert all(column.meaning for column in COLUMNS)


def test_the_page_in_docs_is_current():
    assert DOC_PATH.read_text(encoding="utf-8") == dataset_doc(), "run: python -m fgmcaps.pipeline.dataset.columns_page"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_column_can_be_null_on_disk(column):
    assert pa.array([None], column.type).null_count == 1
