"""Compare probabilities with the truth on heads, caps, clips and noise not trained on.

Run ``python benchmarks/calibration.py --save data/experiments/calibration.csv`` (ten
minutes on two cores, of which two are for the heads, which are kept). Recordings are
as varied as in training, of other clips, under other caps, of two heads of other shape
and skull. A probability is right where as many regions were active as it says.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from short_runs import finish
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.artifacts import read_arrays, write_arrays
from deepsif_lite.evaluation import reliability
from deepsif_lite.head import (
    CapSampler,
    ScalpPotentials,
    load_artifact_sources,
    load_cap_sampler,
)
from deepsif_lite.head.training_caps import head_potentials
from deepsif_lite.imaging import Imager
from deepsif_lite.synthesis import VariedEEG
from deepsif_lite.training import ANY_CAP_SOURCES

HEADS = (100, 101)  # none of those of training
BLOCK = 64  # recordings that share a cap
SURE = 0.2  # above, probabilities are told
SEED = 77


def other_heads(folder: Path) -> CapSampler:
    """Return what draws caps, worn by heads that training never met."""
    sampler, heads = load_cap_sampler(), []
    for number in HEADS:
        path = folder / f"{number}.npz"
        if not path.is_file():
            write_arrays(path, {"potentials": head_potentials(number)})
        stored = read_arrays(path)["potentials"]
        heads.append(ScalpPotentials(sampler.others[0].shells, stored))
    return replace(sampler, others=heads)


def told_and_true(
    model: Imager, stream: VariedEEG, n_blocks: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return facts of each recording, probabilities, and which regions were active."""
    facts: dict[str, list] = {"channels": [], "samples": [], "artifacts": []}
    told, true = [], []
    for block in tqdm(range(n_blocks), unit="cap"):
        indices = range(block * BLOCK, (block + 1) * BLOCK)
        batch = stream.batch(indices)
        network = model.network.serving(batch.leadfield)
        with torch.inference_mode():
            told.append(network.image(batch.eeg)[1].numpy())
        true.append((batch.weights > 0).any(1).numpy())
        facts["channels"] += [batch.eeg.shape[2]] * BLOCK
        facts["samples"] += [batch.eeg.shape[1]] * BLOCK
        facts["artifacts"] += [stream.has_artifacts(i) for i in indices]
    arrays = {name: np.array(values) for name, values in facts.items()}
    return arrays, np.concatenate(told), np.concatenate(true)


def largest_gap(told: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return the largest gap of a bin above ``SURE``, and that bin's standard error."""
    table = reliability(told, true)
    table = table[table.predicted > SURE]
    gap = (table.observed - table.predicted).abs()
    worst = table.loc[gap.idxmax()]
    # Regions of one recording are not independent: a patch is right or wrong as one.
    recordings = np.mean((told > SURE).any(axis=1)) * len(told)
    spread = np.sqrt(worst.observed * (1 - worst.observed) / recordings)
    return {
        "recordings": len(told),
        "predicted": worst.predicted,
        "observed": worst.observed,
        "largest_gap": gap.max(),
        "standard_error": spread,
    }


def main() -> None:
    """Compare, and print or save the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--caps", type=int, default=24, help="of 64 recordings each")
    parser.add_argument("--heads", default="_build/calibration", help="kept here")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    head = dl.load_head_model("template-75")
    model = dl.load_model(arguments.model, head=head, device="cpu")
    stream = VariedEEG(
        model.head,
        dl.load_spike_library(split="test"),
        other_heads(Path(arguments.heads)),
        load_artifact_sources(),
        n_sources=ANY_CAP_SOURCES,
        seed=SEED,
    )
    facts, told, true = told_and_true(model, stream, arguments.caps)
    print(reliability(told, true).round(3).to_string(index=False))
    few = facts["channels"] < 32
    groups = {
        "all": np.ones(len(told), bool),
        "without artifacts": ~facts["artifacts"],
        "with artifacts": facts["artifacts"],
        "fewer than 32 electrodes": few,
        "32 electrodes and more": ~few,
        "windows below 0.6 s": facts["samples"] < 300,
        "windows of 0.6 s and more": facts["samples"] >= 300,
    }
    rows = [
        {"recordings_of": name, **largest_gap(told[here], true[here])}
        for name, here in groups.items()
    ]
    finish(rows, arguments.save)


if __name__ == "__main__":
    main()
