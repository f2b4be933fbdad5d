"""Measure the contract's table and store it for the book: ``make contract``."""

import tempfile
from pathlib import Path

from contract.rows import ROWS
from contract.table import STORED, measure

with tempfile.TemporaryDirectory() as folder:
    measure(ROWS, Path(folder)).to_csv(STORED, index=False, lineterminator="\n")
