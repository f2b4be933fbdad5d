"""Classical baselines with their options, and why a beamformer fails without noise.

Run ``python benchmarks/baselines.py --save data/experiments/baselines.csv`` (minutes on
two cores). The recordings are made of the clips that networks train on, so that options
are not chosen by test sets; two seeds. A row is a method with its options at one level
of noise; regions are those above Otsu's threshold of the root mean square in time.

``passed`` tells what of a source's own topography the filter of its seed lets through,
at equal noise, as a share of what the best filter would (1: all, 0: the source cancels
itself). A beamformer fixes the gain of one region, or of one patch, and lowers all
else: as noise falls, it takes what remains of an extended source for interference, and
the sum that reaches the seed goes down. A stronger regularization helps, and a filter
for a patch as far as the patch is the source.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from invertmeeg import scores
from numpy.typing import NDArray
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.head import HeadModel
from deepsif_lite.results import commit
from deepsif_lite.signals import average_reference
from deepsif_lite.solvers import get_solver
from deepsif_lite.synthesis import Sample, SyntheticEEG

SNRS = (5.0, 10.0, 15.0, 20.0)  # dB
VARIANTS: list[tuple[str, dict]] = [
    *(("sloreta", {"lambda2": value}) for value in (0.01, 1 / 9, 1.0, "gcv")),
    *(("mne", {"lambda2": value}) for value in (1 / 9, "gcv")),
    *(("dspm", {"lambda2": value}) for value in (1 / 9, "gcv")),
    *(("lcmv", {"reg": value}) for value in ("ledoit_wolf", 0.05, 0.2, 1.0, 5.0)),
    *(("lcmv", {"reg": 0.05, "n_steps": n}) for n in (1, 2)),
    *(("lcmv", {"reg": 1.0, "n_steps": n}) for n in (1, 2)),
]


def label(options: dict) -> str:
    """Return options as they stand in the table."""
    parts = (
        f"{name}={value if isinstance(value, str) else format(value, '.3g')}"
        for name, value in options.items()
    )
    return ", ".join(parts)


def passed(eeg: NDArray, sample: Sample, head: HeadModel, options: dict) -> float:
    """Return what a beamformer lets through of each source, 1 being all."""
    solve = partial(get_solver("lcmv"), **options)
    shares, gain = [], average_reference(head.leadfield)
    whole = filters(eeg, solve, head)
    for patch in sample.patches:
        strength = np.abs(sample.activity[:, patch]).max(axis=0)
        topography, best = gain[:, patch] @ strength, whole[patch[0]]
        norms = np.linalg.norm(best) * np.linalg.norm(topography)
        shares.append(abs(best @ topography) / norms)
    return float(np.mean(shares))


def filters(eeg: NDArray, solve: partial, head: HeadModel) -> NDArray:
    """Recover the filters of a linear solver from what it makes of the data."""
    image = solve(eeg, head)
    return np.linalg.lstsq(average_reference(eeg, axis=1), image, rcond=None)[0].T


def rows_of(sample: Sample, head: HeadModel) -> Iterator[dict]:
    """Yield a row for each method and its options."""
    eeg = sample.eeg.astype(float)
    for method, options in VARIANTS:
        activity = get_solver(method)(eeg, head, **options)
        row = {"method": method, "options": label(options)}
        row |= scores(activity, sample, head)
        if method == "lcmv":
            row["passed"] = passed(eeg, sample, head, options)
        yield row


def measure(n_samples: int, seeds: list[int]) -> Iterator[dict]:
    """Yield a row for each recording and method; noise levels share their sources."""
    head = dl.load_head_model("template-75")
    clips = dl.load_spike_library("lite", split="train")
    for seed in seeds:
        for count in (1, 2, 3):
            for snr in SNRS:
                stream = SyntheticEEG(
                    head,
                    clips,
                    n_sources=count,
                    seed=1000 * seed + count,
                    sensor_snr=(snr,),
                )
                for index in range(n_samples):
                    facts = {"n_sources": count, "snr_db": snr, "seed": seed}
                    for row in rows_of(stream[index], head):
                        yield facts | row


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return means, and the standard error of AP and recall."""
    groups = table.groupby(["method", "options", "snr_db"], sort=False)
    columns = ["AP", "precision", "recall", "error_mm", "correlation", "passed"]
    errors = groups[["AP", "recall"]].sem().add_suffix("_se")
    means = groups[columns].mean().join(errors)
    return means.assign(n=groups.size()).reset_index()


def main() -> None:
    """Measure all, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=15, help="of a set and level")
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    n_recordings = arguments.samples * len(arguments.seeds) * 3 * len(SNRS)
    rows = measure(arguments.samples, arguments.seeds)
    total = n_recordings * len(VARIANTS)
    table = summarize(pd.DataFrame(tqdm(rows, total=total, unit="image")))
    table["version"] = f"deepsif-lite {commit()}"
    kept = [a for a in sys.argv[1:] if a not in ("--save", arguments.save)]
    table["command"] = " ".join(["benchmarks/baselines.py", *kept])
    print(table.drop(columns=["version", "command"]).round(3).to_string(index=False))
    overall = table.groupby(["method", "options"], sort=False)
    print(overall[["AP", "precision", "recall", "error_mm"]].mean().round(3))
    if arguments.save:
        table.round(4).to_csv(arguments.save, index=False)


if __name__ == "__main__":
    main()
