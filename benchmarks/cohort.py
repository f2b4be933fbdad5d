"""Image the virtual cohort by every method, the slow ones too, and store the scores.

Run ``python benchmarks/cohort.py --save cohort.csv`` (seconds an image for the slow
methods). Chapter 5 reads the table for what it does not compute itself: the methods
without a network, whose scores change with their code alone.
"""

from __future__ import annotations

import argparse
import warnings
from time import perf_counter

from short_runs import write_with_facts

import deepsif_lite as dl
from deepsif_lite.evaluation import score_cohort, virtual_cohort
from deepsif_lite.solvers import METHODS

SEED = 5  # the cohort of chapter 5


def main() -> None:
    """Score the methods named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--save", help="CSV file")
    options = parser.parse_args()

    model, start = dl.load_model("lite-75"), perf_counter()
    clips = dl.load_spike_library("lite", split="test")
    cohort = virtual_cohort(options.patients, model.head, clips, seed=SEED)
    with warnings.catch_warnings(action="ignore"):
        table = score_cohort(
            cohort, options.methods, model=model, head=model.head, progress=True
        )
    print(table.groupby("method", sort=False).mean(numeric_only=True).round(4))
    if options.save:
        write_with_facts(table, options.save, perf_counter() - start, "%.6g")


if __name__ == "__main__":
    main()
