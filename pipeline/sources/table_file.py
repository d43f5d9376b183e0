"""Tables as people have them: CSV with any separator, TSV, JSON lines, Parquet; in UTF-8 or UTF-16.

No line is guessed at: a table is read in the one way in which every line has as many cells as the header, or the error
names the first line that has not.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.text_file import encoding_of

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_MAX_CELL = 100_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: where it stands, and its cells by the names of the columns as the table spells them."""

    place: str
    cells: dict[str, Any]


def read_table(path: Path) -> Iterator[TableRow]:
    """The rows of a table, rows of empty cells aside. Raises FgmcapsError naming file, line and remedy."""
    try:
        match path.suffix.lower():
            case ".parquet":
                yield from _parquet(path)
            case ".jsonl":
                yield from _json_lines(path)
            case suffix:
                yield from _text_table(path, suffix)
    except FgmcapsError:
        raise
    except (OSError, ValueError) as error:
        raise FgmcapsError(f"cannot read the manifest {path}: {' '.join(str(error).split())}") from None


def _parquet(path: Path) -> Iterator[TableRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            number = 0
            for batch in table.iter_batches(1024):
                for row in batch.to_pylist():
                    number += 1
                    yield TableRow(f"row {number}", row)
    except pa.ArrowException as error:
        raise FgmcapsError(f"cannot read the manifest {path}: {' '.join(str(error).split())}") from None


def _json_lines(path: Path) -> Iterator[TableRow]:
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if line.strip():
            yield TableRow(f"line {number}", _json_object(line, f"{path}: line {number}"))


def _json_object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FgmcapsError(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise FgmcapsError(f"{where}: not a JSON object")
    return row


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    encoding = encoding_of(data[:64])
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name, byte = encoding.upper(), data[error.start]
        raise FgmcapsError(
            f"cannot read the manifest {path}: line {line}: not {name} (byte {byte:#04x}); save it in UTF-8, for "
            f"instance by `iconv -f LATIN1 -t UTF-8 {path.name}`"
        ) from None


@dataclass(frozen=True, slots=True)
class _Line:
    """A record and the number of the line on which it ends."""

    number: int
    cells: list[str]


def _text_table(path: Path, suffix: str) -> Iterator[TableRow]:
    text = _decoded(path)
    first = next((line for line in _lines_of(text) if line.strip()), "")
    separator = max(SEPARATORS, key=lambda mark: (first.count(mark), suffix == ".tsv" and mark == "\t"))
    readings = (_literal, _quoted) if separator == "\t" else (_quoted, _literal)
    problems = []
    for reading in readings:
        lines, problem = reading(text, separator)
        problem = problem or _uneven(lines)
        if problem is None:
            yield from _rows(lines, path)
            return
        problems.append(problem)
    shown = SEPARATORS[separator]
    raise FgmcapsError(
        f"cannot read the manifest {path}: {problems[0]}; cells are parted by {shown} here: put cells that hold one, "
        "or a quotation mark, in quotation marks, and double those inside"
    )


def _quoted(text: str, separator: str) -> tuple[list[_Line], str | None]:
    """Read with quotation marks; a problem where one opens a cell that swallows whole lines."""
    source = _lines_of(text)
    reader = csv.reader(source, delimiter=separator, strict=True)
    lines: list[_Line] = []
    before = 0
    try:
        csv.field_size_limit(_MAX_CELL)
        for cells in reader:
            inner = source[before + 1 : reader.line_num - 1]
            if lines and any(line.count(separator) >= len(lines[0].cells) - 1 > 0 for line in inner):
                return lines, f"line {before + 1}: a quotation mark opens a cell that ends on line {reader.line_num}"
            lines.append(_Line(reader.line_num, cells))
            before = reader.line_num
    except csv.Error as error:
        return lines, f"line {before + 1}: {error}"
    return lines, None


def _literal(text: str, separator: str) -> tuple[list[_Line], str | None]:
    """Read without quotation marks, as TSV is written; a pair around a whole cell goes."""
    lines: list[_Line] = []
    for number, line in enumerate(_lines_of(text), start=1):
        cells = [_unquoted(cell) for cell in line.rstrip("\r\n").split(separator)]
        if separator != "\t" and cells[0].startswith('"'):
            return lines, f"line {number}: a quotation mark that nothing closes"
        if len(line) > _MAX_CELL:
            return lines, f"line {number}: longer than {_MAX_CELL} characters"
        lines.append(_Line(number, cells))
    return lines, None


def _lines_of(text: str) -> list[str]:
    """Lines with their ends; of all that Unicode calls a line break only those that files use."""
    return list(io.StringIO(text, newline=""))


def _unquoted(cell: str) -> str:
    inner = cell.strip()
    whole = len(inner) > 1 and inner[0] == inner[-1] == '"' and '"' not in inner[1:-1].replace('""', "")
    return inner[1:-1].replace('""', '"') if whole else cell


def _uneven(lines: Sequence[_Line]) -> str | None:
    """What is wrong with the first line whose cells are not those of the header.

    Empty cells beyond the header are a spreadsheet's; cells that are missing at the end are empty.
    """
    filled = [line for line in lines if any(cell.strip() for cell in line.cells)]
    if not filled:
        return None
    width = len(filled[0].cells)
    for line in filled[1:]:
        extra = [cell for cell in line.cells[width:] if cell.strip()]
        if extra:
            return f"line {line.number}: more values than the header has columns: {', '.join(extra)!r}"
        if len(line.cells) == 1 < width and any(mark in line.cells[0] for mark in SEPARATORS):
            return f"line {line.number}: one cell, where the header has {width}"
    return None


def _rows(lines: Sequence[_Line], path: Path) -> Iterator[TableRow]:
    filled = (line for line in lines if any(cell.strip() for cell in line.cells))
    header = next(filled, None)
    if header is None:
        return
    names = header.cells
    for line in filled:
        cells: dict[str, Any] = {}
        for number, (name, value) in enumerate(zip(names, line.cells, strict=False), start=1):
            if name.strip() and name in cells:
                raise FgmcapsError(f"{path}: the column {name.strip()!r} stands twice in the header; rename one")
            if name.strip() or value.strip():
                cells[name if name.strip() else f"column {number}"] = value
        yield TableRow(f"line {line.number}", cells)
