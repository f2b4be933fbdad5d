"""What limits the images of virtual patients: one change at a time, on other cohorts.

Run ``python benchmarks/cohort_limits.py --save cohort_limits.csv`` (three minutes on one
core). Chapter 5 reads the table. The cohorts have other seeds than the one that the
chapter reports, so whatever is chosen by the table is not chosen on that one.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from short_runs import write_with_facts
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import image_spike, score_patient, virtual_cohort

SEEDS = (6, 7)  # chapter 5 reports 5
METRICS = ("precision", "recall", "spatial_dispersion", "onset_zone_error")
MANY = 60  # spikes, three times the paper's mean
ALL_EASY = {
    "misplacement": 0.0,
    "own_heads": False,
    "artifacts": False,
    "n_spikes": MANY,
}
# What is changed -> how the patients are made.
PATIENTS = {
    "as reported": {},
    "electrodes at their places": {"misplacement": 0.0},
    "the template's head": {"own_heads": False},
    "no eyes, no muscles": {"artifacts": False},
    f"{MANY} spikes each": {"n_spikes": MANY},
    "all four": ALL_EASY,
}
# What is changed -> regions that count as found.
SELECTIONS: dict[str, Callable] = {
    "probability > .5": lambda image: np.flatnonzero(image.probability > 0.5),
    "probability > .3": lambda image: np.flatnonzero(image.probability > 0.3),
}


def rows_of(patient, models: dict, changed: str) -> Iterator[dict]:
    """Yield the scores of a patient, on the reported settings with every change."""
    image = image_spike(patient, model=models["any cap"])
    yield {"change": changed, **score_patient(patient, image)}
    if changed != "as reported":
        return
    for name, select in SELECTIONS.items():
        yield {"change": name, **score_patient(patient, image, select(image))}
    other = image_spike(patient, model=models["one cap"])
    yield {"change": "the network of one cap", **score_patient(patient, other)}
    whole = replace(patient, resection=patient.source)
    yield {"change": "against the source", **score_patient(whole, image)}
    perfect = score_patient(patient, image, patient.source)
    yield {"change": "an image without fault", **perfect}


def score(n_patients: int) -> pd.DataFrame:
    """Return one row a patient and change."""
    models = {
        "any cap": dl.load_model("lite-75"),
        "one cap": dl.load_model("lite-75-known-head"),
    }
    head = models["any cap"].head
    clips = dl.load_spike_library("lite", split="test")
    rows = []
    for seed in tqdm(SEEDS, desc="cohorts"):
        for changed, how in PATIENTS.items():
            for patient in virtual_cohort(n_patients, head, clips, seed=seed, **how):
                key = {"person": f"{seed}, {patient.name}"}
                rows += [key | row for row in rows_of(patient, models, changed)]
    return pd.DataFrame(rows)


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means, and mean paired differences to the first change with their errors."""
    table = []
    wide = rows.pivot(index="person", columns="change", values=list(METRICS))
    for change in rows["change"].unique():
        row: dict = {"change": change, "n": len(wide)}
        for metric in METRICS:
            scores = wide[metric]
            gain = (scores[change] - scores["as reported"]).dropna()
            row[metric] = scores[change].mean()
            row[f"{metric}_gain"] = gain.mean()
            row[f"{metric}_error"] = gain.sem()
        table.append(row)
    return pd.DataFrame(table)


def main() -> None:
    """Score, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=20, help="of each cohort")
    parser.add_argument("--save", help="CSV file")
    options = parser.parse_args()
    with warnings.catch_warnings(action="ignore"):
        table = summarize(score(options.patients))
    print(table.round(3).to_string())
    if options.save:
        write_with_facts(table, options.save)


if __name__ == "__main__":
    main()
