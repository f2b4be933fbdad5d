"""Score what ``deepsif-lite train`` gives on two cores, beside the shipped network.

Run ``deepsif-lite train --out run`` (over an hour), then ``python
benchmarks/default_recipe.py --run run --save data/experiments/default_recipe.csv``
(minutes on two cores). Both networks see the same recordings: the paper's, and those as
varied as in training, of other clips, under other caps, on heads that training never
met. A gap is the largest of the probabilities above .2 from what comes true.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from calibration import BLOCK, largest_gap
from head_error import score, test_sets
from short_runs import finish_with_facts, load_data

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, per_sample
from deepsif_lite.network import load_card
from deepsif_lite.spikes import SpikeLibrary

SEED = 31
VARIED = "computed heads, other caps"


def means(model: dl.Imager, clips: SpikeLibrary, n_samples: int) -> pd.Series:
    """Return mean scores on the paper's recordings, regions by Otsu's threshold."""
    options = {"n_samples": n_samples, "seed": SEED}
    scores = dl.evaluate(model, clips, methods=("deepsif",), **options)
    return per_sample(scores)[[*METRICS, "average_precision"]].mean()


def main() -> None:
    """Score both, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="of deepsif-lite train")
    parser.add_argument("--samples", type=int, default=300, help="in each set")
    parser.add_argument("--caps", type=int, default=6, help=f"of {BLOCK} recordings")
    parser.add_argument("--heads", type=Path, default=Path("_build/calibration"))
    parser.add_argument("--save", help="file to write, .csv")
    arguments, begun = parser.parse_args(), perf_counter()
    head, _, clips = load_data()
    stream = dict(test_sets(clips, arguments.heads))[VARIED]
    rows = []
    for name, folder in {"default recipe": arguments.run, "lite": "lite"}.items():
        training = load_card(folder)["training"]
        model = dl.load_model(folder, head=head)
        varied = score(folder, stream, arguments.caps)
        gap = largest_gap(np.stack(varied["told"]), np.stack(varied["true"]))
        rows.append(
            {"network": name, "samples": training["samples"]}
            | {"minutes": training["seconds"] / 60, "device": training["device"]}
            | means(model, clips, arguments.samples).to_dict()
            | {"varied_average_precision": varied["average_precision"].mean()}
            | {"largest_gap": gap["largest_gap"]}
        )
    finish_with_facts(pd.DataFrame(rows), arguments.save, begun)


if __name__ == "__main__":
    main()
