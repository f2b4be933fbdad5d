"""The rows of the contract: what is given, and what must come of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from contract import subject

from deepsif_lite.errors import DeepSIFError
from deepsif_lite.imaging import image
from deepsif_lite.recordings import read_evoked

IMAGED, REPAIRED, NOTICED, REFUSED, LIMIT = (
    "imaged",
    "repaired",
    "noticed",
    "refused",
    "limit",
)
"""Without a word; with a warning; with one, whatever the image; not at all; wrong
without a word, since nothing in the recording can tell."""

WITHIN = 10.0  # mm from the strongest region to the simulated patch
METHODS = ("deepsif", "sloreta")
STORED = Path(__file__).parents[2] / "book" / "contract.csv"


@dataclass(frozen=True)
class Row:
    """One input.

    ``make(folder)`` returns what is given; a path is opened as the command line does.
    ``says`` is an expression that the warnings hold, or the class of the error.
    """

    kind: str
    text: str
    make: Callable
    verdict: str
    says: str = ""
    options: dict = field(default_factory=dict)
    methods: tuple[str, ...] = METHODS
    within: float = WITHIN


class Outcome(NamedTuple):
    """What came of an input: an image and its warnings, or an error."""

    activity: np.ndarray | None
    said: str
    error: Exception | None

    @property
    def away(self):
        return np.nan if self.error else subject.distance(self.activity)

    @property
    def verdict(self):
        if self.error:
            return REFUSED
        return NOTICED if self.said else IMAGED


def observe(row, method, folder):
    """Give a row's input to a method."""
    given, options = row.make(folder), dict(row.options)
    if method == "deepsif":
        options.setdefault("model", subject.network())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = _image(given, method, options)
        except (DeepSIFError, FileNotFoundError) as error:
            return Outcome(None, "", error)
    return Outcome(found.activity, " ".join(str(w.message) for w in caught), None)


def _image(given, method, options):
    if isinstance(given, Path):
        condition = options.pop("condition", None)
        window = options.get("tmin"), options.get("tmax")
        given = read_evoked(given, condition, *window, options.get("baseline"))
    return image(given, method, **options)


def measure(rows, folder):
    """Return the table that the book shows, one line an input."""
    lines = []
    for row in rows:
        line = {"kind": row.kind, "input": row.text, "verdict": row.verdict}
        line["said"] = row.says
        for method in METHODS:
            away = np.nan
            if method in row.methods:
                away = observe(row, method, folder).away
            line[f"{method}_mm"] = "" if np.isnan(away) else f"{away:.0f}"
        lines.append(line)
    return pd.DataFrame(lines)


def stored():
    """Return the table of the book."""
    return pd.read_csv(STORED, dtype=str, keep_default_na=False)
