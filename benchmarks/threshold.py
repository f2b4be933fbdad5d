"""What a threshold of the probability buys, by the size of a source.

Run ``python benchmarks/threshold.py --save data/experiments/threshold.csv`` (a minute on
one core). Single sources of so many regions on the template, as in
``benchmarks/price_list.py``; regions count from one probability or another.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import pandas as pd
from price_list import N_REGIONS, REGION, SEED
from short_runs import write_with_facts
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, evaluate, per_sample

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LEAST_NOISE = 20.0  # dB


def measure(model, clips, count: int, n_samples: int) -> list[dict]:
    """Score one size of source at every threshold: all recordings, and the clearest."""
    area = count * REGION
    table = evaluate(
        model,
        clips,
        methods=("deepsif",),
        selections=THRESHOLDS,
        n_sources=(1,),
        n_samples=n_samples,
        seed=SEED,
        areas=(area, area),
        progress=False,
    )
    samples = per_sample(table)
    clear = samples[samples["snr_db"] == LEAST_NOISE]
    columns = [*METRICS, "average_precision"]
    rows = []
    for noise, part in (("all", samples), (f"{LEAST_NOISE:g} dB", clear)):
        for threshold, each in part.groupby("selection"):
            row = {"regions": count, "noise": noise, "threshold": threshold}
            for column in columns:
                row[column], row[f"{column}_se"] = each[column].agg(["mean", "sem"])
            rows.append(row | {"n": len(each)})
    return rows


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
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    if arguments.save:
        write_with_facts(table, arguments.save, start)


if __name__ == "__main__":
    main()
