"""Where on the cortex sources are found, by electrodes and noise.

Run ``python benchmarks/by_place.py --save data/experiments/by_place.csv`` (some minutes
on two cores). A row is a region: the share of a source around it that is found.
"""

from __future__ import annotations

import argparse

import mne
import pandas as pd

import deepsif_lite as dl
from deepsif_lite.evaluation import trust_map
from deepsif_lite.head import TEN_TWENTY, template_cap

CAPS = {"19 electrodes": TEN_TWENTY} | {
    f"{n} electrodes": mne.channels.make_standard_montage(f"biosemi{n}").ch_names
    for n in (32, 64)
}
SNRS = (0.0, 10.0)  # dB


def measure(n_samples: int) -> pd.DataFrame:
    """Return recall by region, a column a cap and noise."""
    model, clips = dl.load_model("lite"), dl.load_spike_library(split="test")
    maps = {
        f"{cap}, {snr:.0f} dB": trust_map(
            model.on(template_cap(names)), clips, snr_db=snr, n_samples=n_samples
        ).recall
        for cap, names in CAPS.items()
        for snr in SNRS
    }
    return pd.DataFrame(maps).rename_axis("region")


def main() -> None:
    """Print the means over the cortex, and write the table if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1988, help="of a cap and noise")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    table = measure(arguments.samples)
    print(table.describe().round(2).to_string())
    if arguments.save:
        table.to_csv(arguments.save, float_format="%.3f")


if __name__ == "__main__":
    main()
