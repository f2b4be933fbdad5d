"""Train on heads that no model computes, and see what a person's own head gains.

Run ``python benchmarks/head_error.py --save data/experiments/head_error.csv`` (half
an hour on one core; a run that was stopped goes on; published files must be at hand).
The shipped network goes on learning for equally many samples of the shipped
recipe, twice: as it is, and with people whose heads differ from all that were computed
(``Variety.head_error``). Both, and the network they come from, image other recordings
as varied as those of training:

- of a person's own head by finite elements, which no training met;
- of the template, under the same electrodes;
- of other caps, worn by two more heads of the kind that training has.

The table has the means over recordings, and how far probabilities are from the truth.
Differences are to the network that went on as it was, paired by recording.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from calibration import BLOCK, largest_gap, other_heads, told_and_true
from personal_head import personal_cap
from short_runs import finish_with_facts, load_data
from tqdm.auto import tqdm
from variety import train_once

import deepsif_lite as dl
from deepsif_lite.head import load_artifact_sources
from deepsif_lite.metrics import average_precision
from deepsif_lite.network import load_card
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import VariedEEG, Variety
from deepsif_lite.training import ANY_CAP_SOURCES

ERROR = (0.0, 1.5)
NONE = "as it is"
RECIPES = {NONE: Variety(), "with other heads": Variety(head_error=ERROR)}
SEEDS = (0, 1)
TEST_SEED = 177
LEARNING_RATE = 3e-4  # a fifth of that of the training before


def go_on(folder: Path, variety: Variety, seed: int, n_steps: int) -> Path:
    """Train the shipped network further, or find it trained."""
    return train_once(
        folder,
        n_steps,
        "lite",
        learning_rate=LEARNING_RATE,
        variety=variety,
        options=load_card("lite")["training"]["options"],
        seed=seed + 1000,  # other samples than those of the shipped network
    )


def test_sets(clips: SpikeLibrary, heads: Path) -> Iterator[tuple[str, VariedEEG]]:
    """Yield recordings of each kind."""
    caps = {
        "a person's head": personal_cap(),
        "the template": personal_cap(own_head=False),
        "computed heads, other caps": other_heads(heads),
    }
    for name, sampler in caps.items():
        yield (
            name,
            VariedEEG(
                dl.load_head_model("template-75"),
                clips,
                sampler,
                load_artifact_sources(),
                n_sources=ANY_CAP_SOURCES,
                seed=TEST_SEED,
            ),
        )


def score(model: str | Path, stream: VariedEEG, n_blocks: int) -> pd.DataFrame:
    """Return a row a recording, with the probabilities and the truth behind it."""
    imager = dl.load_model(model, head=stream.head)
    _, told, true = told_and_true(imager, stream, n_blocks)
    table = pd.DataFrame({"told": list(told), "true": list(true)})
    table["average_precision"] = [
        average_precision(p, np.flatnonzero(t)) if t.any() else np.nan
        for p, t in zip(told, true, strict=True)
    ]
    rounded = told.clip(1e-6, 1 - 1e-6).astype(float)
    surprise = -np.log(np.where(true, rounded, 1 - rounded)).sum(axis=1)
    return table.assign(cross_entropy=surprise)


def compare(table: pd.DataFrame) -> pd.DataFrame:
    """Return means, gaps, and differences from the network that went on as it was."""
    rows = []
    keys = ["recordings_of", "network"]
    for (kind, name), group in table.groupby(keys, sort=False):
        usual = table.query("recordings_of == @kind and network == @NONE")
        row = {"recordings_of": kind, "network": name}
        row["recordings"] = group["recording"].nunique()
        for measure in ("average_precision", "cross_entropy"):
            away = group.groupby("recording")[measure].mean()
            away = away - usual.groupby("recording")[measure].mean()
            row[measure] = group[measure].mean()
            row |= {f"{measure}_difference": away.mean(), f"{measure}_se": away.sem()}
        gaps = [
            largest_gap(np.stack(part["told"]), np.stack(part["true"]))
            for _, part in group.groupby("seed")
        ]
        gaps = pd.DataFrame(gaps).mean()
        rows.append(row | gaps.drop("recordings").to_dict())
    return pd.DataFrame(rows)


def main() -> None:
    """Train, score, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100, help="of 64 samples")
    parser.add_argument("--caps", type=int, default=6, help=f"of {BLOCK} recordings")
    parser.add_argument("--runs", type=Path, default=Path("_build/head_error"))
    parser.add_argument("--heads", type=Path, default=Path("_build/calibration"))
    parser.add_argument("--save", help="file to write, .csv")
    arguments, begun = parser.parse_args(), perf_counter()
    *_, clips = load_data()
    networks = [("shipped", SEEDS[0], "lite")]
    for seed in tqdm(SEEDS, unit="seed"):
        for name, variety in RECIPES.items():
            folder = arguments.runs / f"{name}-{seed}"
            trained = go_on(folder, variety, seed, arguments.steps)
            networks.append((name, seed, trained))
    parts = []
    for kind, stream in test_sets(clips, arguments.heads):
        for name, seed, model in networks:
            found = score(model, stream, arguments.caps)
            facts = {"recordings_of": kind, "network": name, "seed": seed}
            parts.append(found.assign(**facts, recording=np.arange(len(found))))
    finish_with_facts(compare(pd.concat(parts)), arguments.save, begun)


if __name__ == "__main__":
    main()
