"""What benchmarks that write a table share: arguments, data, and the table."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pandas as pd

import deepsif_lite as dl
from deepsif_lite.head import HeadModel
from deepsif_lite.paths import whole_file
from deepsif_lite.results import commit
from deepsif_lite.spikes import SpikeLibrary


def read_arguments(
    description: str, *, steps: int, test_samples: int, runs: str
) -> argparse.Namespace:
    """Read how long to train, how much to score, and where to write."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--test-samples", type=int, default=test_samples, help="in each set"
    )
    parser.add_argument("--runs", default=runs, help="folder of the runs")
    parser.add_argument("--save", help="file to write, .csv")
    return parser.parse_args()


def read_save(description: str) -> str | None:
    """Read where to write."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--save", help="file to write, .csv")
    return parser.parse_args().save


def load_data() -> tuple[HeadModel, SpikeLibrary, SpikeLibrary]:
    """Return the template head, clips to train on and clips to test on."""
    libraries = (dl.load_spike_library("lite", split=s) for s in ("train", "test"))
    return dl.load_head_model("template-75"), *libraries


def kept_rows(path: Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of a file, which is made where it is not there."""
    if not path.is_file():
        with whole_file(path) as partial:
            make().to_csv(partial, index=False)
    return pd.read_csv(path)


def merged(rows: list[dict], save: str | None, column: str) -> list[dict]:
    """Return rows behind those of a file that they do not replace, by a column."""
    if not save or not Path(save).is_file():
        return rows
    new = {row[column] for row in rows}
    stored = pd.read_csv(save).to_dict("records")
    return [row for row in stored if row[column] not in new] + rows


def finish(rows: list[dict], save: str | None) -> None:
    """Print the table, and write it if asked for."""
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    if save:
        table.round(4).to_csv(save, index=False)


def finish_with_facts(table: pd.DataFrame, save: str | None, start: float) -> None:
    """Print a table; if asked for, write it with how it was made.

    ``start`` is of ``perf_counter``.
    """
    print(table.round(3).to_string(index=False))
    if save:
        write_with_facts(table, save, perf_counter() - start)


def write_with_facts(
    table: pd.DataFrame,
    path: str | Path,
    seconds: float | None = None,
    float_format: str = "%.5g",
) -> None:
    """Write a table below the command that made it, the commit and the time it took."""
    facts = {"command": shlex.join(["python", *sys.argv]), "commit": commit()}
    if seconds is not None:
        facts["seconds"] = f"{seconds:.0f}"
    head = "".join(f"# {name}: {fact}\n" for name, fact in facts.items())
    text = table.to_csv(index=False, float_format=float_format)
    Path(path).write_text(head + text, encoding="utf-8")
