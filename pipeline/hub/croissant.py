"""``croissant.json``: the dataset described in Croissant 1.0 (MLCommons), for tools that read datasets of every kind.

The repository is one FileObject, each configuration a FileSet of its Parquet files and a RecordSet with one Field a
column. Lists and structures are repeated and nested fields. The tests validate it with ``mlcroissant``.
"""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from fgmcaps.pipeline.dataset.card import Configuration
from fgmcaps.schemas import Manifest
from fgmcaps.schemas.arrow import COLUMNS, columns_with

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer", "binary": "sc:Text"}


def croissant_bytes(
    manifest: Manifest,
    configurations: Sequence[Configuration],
    *,
    repo_id: str,
    url: str,
    description: str,
    licence: str | None,
    citation: str,
) -> bytes:
    """The file's bytes. ``url`` is the page of the repository, ``licence`` an identifier or an address."""
    version = manifest.schema_version + ".0" * (2 - manifest.schema_version.count("."))
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": repo_id.rpartition("/")[2],
        "alternateName": repo_id,
        "description": description,
        "url": url,
        "version": version,
        "citeAs": citation,
        "isLiveDataset": True,  # a later push changes the repository under the same address
        "keywords": ["music", "audio", "captions", "tempo", "key", "chords"],
        **({"license": licence} if licence else {}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "repo",
                "name": "repo",
                "description": "The repository on the Hub.",
                "contentUrl": url,
                "encodingFormat": "git+https",
            },
            *(_file_set(configuration) for configuration in configurations),
        ],
        "recordSet": [_record_set(configuration) for configuration in configurations],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _files_of(configuration: Configuration) -> str:
    return f"files-{configuration.name}"


def _file_set(configuration: Configuration) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _files_of(configuration),
        "name": _files_of(configuration),
        "description": f"Parquet files of the configuration {configuration.name}.",
        "containedIn": {"@id": "repo"},
        "encodingFormat": "application/x-parquet",
        "includes": f"{configuration.folder}/*.parquet",
    }


def _record_set(configuration: Configuration) -> dict[str, Any]:
    own = {column.name for column in COLUMNS}
    kept = [name for name in configuration.features if name not in own]
    columns = [column for column in columns_with(kept) if column.name in configuration.features]
    return {
        "@type": "cr:RecordSet",
        "@id": configuration.name,
        "name": configuration.name,
        "description": configuration.about,
        "key": {"@id": f"{configuration.name}/id"},
        "field": [_field(configuration, column.name, column.type, column.meaning) for column in columns],
    }


def _field(configuration: Configuration, name: str, kind: pa.DataType, meaning: str) -> dict[str, Any]:
    identifier = f"{configuration.name}/{name}"
    field: dict[str, Any] = {"@type": "cr:Field", "@id": identifier, "name": identifier, "description": meaning}
    source = {"fileSet": {"@id": _files_of(configuration)}, "extract": {"column": name}}
    if name == "audio":
        source["transform"] = {"jsonPath": "bytes"}
        return {**field, "dataType": "sc:AudioObject", "source": source}
    if pa.types.is_list(kind):
        field["repeated"] = True
        kind = kind.value_type
    if pa.types.is_struct(kind):
        subs = [
            {
                "@type": "cr:Field",
                "@id": f"{identifier}/{part.name}",
                "name": f"{identifier}/{part.name}",
                "dataType": _TYPES[str(part.type)],
                "source": {**source, "transform": {"jsonPath": part.name}},
            }
            for part in kind
            if str(part.type) in _TYPES  # Croissant has no words for a list inside a struct
        ]
        return {**field, "subField": subs}
    return {**field, "dataType": _TYPES[str(kind)], "source": source}
