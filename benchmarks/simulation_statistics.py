"""Compare what noise makes of a brain here and in The Virtual Brain.

Run ``make bench-statistics`` (half an hour of processor time). Every condition is
simulated many times by The Virtual Brain and by the numba engine, with their own
noise; the table shows both means, their difference in per cent and its standard
error. ``--save`` stores The Virtual Brain's half, which the tests and appendix 1b read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.spikes import (
    CONDITIONS,
    Condition,
    engine_differences,
    run_condition,
    small_brain,
    summarize_runs,
)
from deepsif_lite.spikes.statistics import RUN_SECONDS

OURS_SEED, THEIRS_SEED = 1, 2
COPIES = 5  # networks that The Virtual Brain simulates as one


def theirs(brain: dl.Connectome, n_jobs: int) -> pd.DataFrame:
    """Return The Virtual Brain's statistics of all conditions."""
    tasks = [
        (condition, run)
        for condition in CONDITIONS
        for run in range(condition.n_runs // COPIES)
    ]
    results = Parallel(n_jobs, return_as="generator")(
        delayed(run_condition)(brain, condition, [run], "tvb", THEIRS_SEED, COPIES)
        for condition, run in tasks
    )
    found: dict[Condition, list[pd.DataFrame]] = {}
    for (condition, _), runs in tqdm(
        zip(tasks, results, strict=True), total=len(tasks), desc="TVB", unit="task"
    ):
        found.setdefault(condition, []).append(runs)
    return pd.concat(
        summarize_runs(pd.concat(parts), condition)
        for condition, parts in found.items()
    )


def ours(brain: dl.Connectome, n_runs: int) -> pd.DataFrame:
    """Return this library's statistics of all conditions."""
    return pd.concat(
        summarize_runs(
            run_condition(brain, condition, range(n_runs), seed=OURS_SEED), condition
        )
        for condition in CONDITIONS
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connectome", default="template", help="or published")
    parser.add_argument("--runs", type=int, default=400, help="of our engine")
    parser.add_argument("--jobs", type=int, default=-1, help="worker processes")
    parser.add_argument("--save", type=Path, help="write The Virtual Brain's numbers")
    arguments = parser.parse_args()
    brain = small_brain(dl.load_connectome(arguments.connectome))
    reference = theirs(brain, arguments.jobs)
    if arguments.save:
        reference.to_csv(arguments.save, index=False, float_format="%.6g")
    table = engine_differences(ours(brain, arguments.runs), reference)
    seconds = RUN_SECONDS * sum(condition.n_runs for condition in CONDITIONS)
    print(f"{brain.name}; {seconds:.0f} s of model time in The Virtual Brain\n")
    print(table.round(3).to_string(), "\n")
    worst = table["difference"].abs().max()
    largest = table["error"].max()
    print(f"largest difference {worst:.1f} %, largest standard error {largest:.1f} %")


if __name__ == "__main__":
    main()
