"""All rows of the contract, by kind."""

from __future__ import annotations

from contract import (
    rows_of_channels,
    rows_of_files,
    rows_of_headers,
    rows_of_objects,
    rows_of_places,
    rows_of_signals,
    rows_of_times,
)

ROWS = [
    *rows_of_files.ROWS,
    *rows_of_headers.ROWS,
    *rows_of_objects.ROWS,
    *rows_of_channels.ROWS,
    *rows_of_places.ROWS,
    *rows_of_signals.ROWS,
    *rows_of_times.ROWS,
]
