"""What a threshold of the probability buys, by the size of a source.

Run ``python benchmarks/threshold.py --save data/experiments/threshold.csv`` (two minutes
on one core). Single sources of so many regions on the template, as in
``benchmarks/price_list.py``; regions count from one probability or another. Champagne,
which knows the very head of the recordings, has the first of them, too.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import pandas as pd
from price_list import N_REGIONS, REGION, SEED
from short_runs import finish_with_facts
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, evaluate, per_sample

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LEAST_NOISE = 20.0  # dB
FEW = 40  # recordings of each size for the slower method


def measure(model, clips, count: int, n_samples: int) -> list[dict]:
    """Score one size of source: at every threshold, and by Otsu's beside a rival."""
    area = count * REGION
    options = {"n_sources": (1,), "seed": SEED, "areas": (area, area)}
    options["progress"] = False
    table = evaluate(
        model,
        clips,
        methods=("deepsif",),
        selections=THRESHOLDS,
        n_samples=n_samples,
        **options,
    )
    beside = evaluate(
        model,
        clips,
        methods=("deepsif", "champagne"),
        selections=("map",),
        n_samples=min(n_samples, FEW),
        **options,
    )
    samples = per_sample(table)
    clear = samples[samples["snr_db"] == LEAST_NOISE]
    sets = ("all", samples), (f"{LEAST_NOISE:g} dB", clear), ("all", per_sample(beside))
    return [
        {"regions": count, "noise": noise} | means(key, part)
        for noise, rows in sets
        for key, part in rows.groupby(["method", "selection"], sort=False)
    ]


def means(key: tuple, samples: pd.DataFrame) -> dict:
    """Return means and standard errors of one method and selection."""
    row = {"method": key[0], "threshold": key[1]}
    for column in (*METRICS, "average_precision"):
        row[column], row[f"{column}_se"] = samples[column].agg(["mean", "sem"])
    return row | {"n": len(samples)}


def main() -> None:
    """Measure all sizes, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=120, help="of each size")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    start = perf_counter()
    model = dl.load_model("lite-75")
    clips = dl.load_spike_library(split="test")
    sizes = tqdm(N_REGIONS, unit="size")
    rows = [r for n in sizes for r in measure(model, clips, n, arguments.samples)]
    finish_with_facts(pd.DataFrame(rows), arguments.save, start)


if __name__ == "__main__":
    main()
