"""Parquet and Arrow files to rows, a batch at a time; and rows to Parquet. Needs the extra ``files``."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from astra_filter.cli import messages
from astra_filter.cli.sources import Format, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.cli.sources import Source

_BATCH = 1000


def rows(source: Source) -> Iterator[Row | None]:
    """Yield the rows; as `astra_filter.cli.reading.rows`."""
    try:
        import pyarrow as pa
        from pyarrow import ipc, parquet
    except ModuleNotFoundError as error:
        raise messages.missing_extra(source.name, error) from None
    try:
        # Such files are read from their end.
        place: Any = str(source.path) if source.input.seekable else io.BytesIO(source.input.all())
        if source.format is Format.PARQUET:
            file = parquet.ParquetFile(place)
            source.columns = list(file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH):
                for value in batch.to_pylist():
                    yield Row(value)
        else:
            with ipc.open_file(place) as opened:
                source.columns = list(opened.schema.names)
                for number in range(opened.num_record_batches):
                    batch = opened.get_batch(number)
                    for start in range(0, batch.num_rows, _BATCH):
                        for value in batch.slice(start, _BATCH).to_pylist():
                            yield Row(value)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise messages.not_arrow(source.name, source.format, error) from None


def write_parquet(values: list[dict[str, Any]]) -> None:
    """Write resources to standard output as a Parquet file.

    Raises:
        InputError: the values of a member have no common type; or the package is missing.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise messages.missing_extra("--format parquet", error) from None
    names = dict.fromkeys(name for value in values for name in value)
    try:
        table = pa.table({name: pa.array([value.get(name) for value in values]) for name in names})
        buffer = io.BytesIO()
        parquet.write_table(table, buffer)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise messages.no_common_type(error) from None
    sys.stdout.flush()
    sys.stdout.buffer.write(buffer.getvalue())
    sys.stdout.buffer.flush()
