"""Make the probabilities of recordings true of people, whose heads no model computes.

Run ``python benchmarks/recalibration.py --save data/experiments/recalibration.csv``
(some minutes on two cores; published files must be at hand). Curves with three numbers
are fitted to what comes true in simulated recordings as varied as those of training,
but of heads that differ from all computed ones (``Variety.head_error``), by as much as
each of three ranges says. They are then held against recordings of other clips: of a
person's own head by finite elements, of the template under the same electrodes, and of
other caps on computed heads. ``--card`` writes the curve of the range around a person's
(``PEOPLE``) on the card of the network, for images of recordings; EEG that is simulated
keeps the probabilities as the network gives them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from calibration import BLOCK, largest_gap, told_and_true
from head_error import test_sets
from short_runs import finish_with_facts, load_data
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.head import load_artifact_sources, load_cap_sampler
from deepsif_lite.imaging import BetaCalibration
from deepsif_lite.network import edit_card
from deepsif_lite.synthesis import VariedEEG, Variety
from deepsif_lite.training import ANY_CAP_SOURCES

RANGES = {"0 to 1.5": (0.0, 1.5), "0.5 to 1.5": (0.5, 1.5), "0.8 to 1.2": (0.8, 1.2)}
PEOPLE = "0.5 to 1.5"  # 1 is about a person's
SEEDS = (900, 901)
AS_TOLD = "none"


def simulated(
    model: dl.Imager, error: tuple[float, float], seed: int, n_caps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is told of heads that differ so much from computed ones, and true."""
    stream = VariedEEG(
        model.head,
        dl.load_spike_library("lite", split="train"),
        load_cap_sampler(),
        load_artifact_sources(),
        variety=Variety(head_error=error),
        n_sources=ANY_CAP_SOURCES,
        seed=seed,
    )
    _, told, true = told_and_true(model, stream, n_caps)
    return told, true


def main() -> None:
    """Fit, compare, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--caps", type=int, default=8, help=f"of {BLOCK} recordings")
    parser.add_argument("--heads", type=Path, default=Path("_build/calibration"))
    parser.add_argument("--card", type=Path, help="folder of the network")
    parser.add_argument("--save", help="file to write, .csv")
    arguments, begun = parser.parse_args(), perf_counter()
    head, _, clips = load_data()
    model = dl.load_model(arguments.model, head=head)
    drawn = {
        (name, seed): simulated(model, error, seed, arguments.caps)
        for name, error in tqdm(RANGES.items(), unit="range")
        for seed in SEEDS
    }
    curves = {(AS_TOLD, AS_TOLD): BetaCalibration(1.0, 1.0, 0.0)}
    curves |= {which: BetaCalibration.fit(*found) for which, found in drawn.items()}
    rows = []
    for kind, stream in test_sets(clips, arguments.heads):
        _, told, true = told_and_true(model, stream, arguments.caps)
        for (name, seed), curve in curves.items():
            gap = largest_gap(curve.apply(told), true)
            facts = {"recordings_of": kind, "fitted_to": name, "seed": seed}
            rows.append(facts | gap | curve._asdict())
    if arguments.card:
        both = zip(*(drawn[PEOPLE, seed] for seed in SEEDS), strict=True)
        curve = BetaCalibration.fit(*map(np.concatenate, both))
        facts = {"head_error": RANGES[PEOPLE], "seeds": SEEDS, "caps": arguments.caps}
        edit_card(arguments.card, recalibration={"curve": tuple(curve), **facts})
    finish_with_facts(pd.DataFrame(rows), arguments.save, begun)


if __name__ == "__main__":
    main()
