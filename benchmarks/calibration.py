"""Compare probabilities with the truth on heads, caps, clips and noise not trained on.

Run ``python benchmarks/calibration.py --save data/experiments/calibration.csv`` (ten
minutes on two cores, of which two are for the heads, which are kept). Recordings are
as varied as in training, of other clips, under other caps, of two heads of other shape
and skull. A probability is right where as many regions were active as it says.

Rows "per time" are of regions at one time, see
:meth:`deepsif_lite.imaging.SourceImage.probability_over_time`; a region of a source is
active where it reaches half of its own peak. ``--only time --caps 12`` measures these
alone (five minutes), and the other rows of the file stay. ``--only person --caps 12``
adds a row of a person's own head by finite elements, imaged by the template (its
published files must be at hand), with probabilities as images of recordings have them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from personal_head import personal_cap
from short_runs import finish, merged
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
from deepsif_lite.imaging import Imager, of_people
from deepsif_lite.imaging.over_time import OF_PEAK, probability_over_time
from deepsif_lite.synthesis import VariedEEG
from deepsif_lite.training import ANY_CAP_SOURCES

HEADS = (100, 101)  # none of those of training
BLOCK = 64  # recordings that share a cap
SURE = 0.2  # above, probabilities are told
SEED = 77
SEEDS_OF_TIMES = (77, 78)
EVERY = 4  # samples between two times that are looked at
PARTS = ("window", "time", "person")
PART = 16  # recordings imaged at a time


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


def told_and_true_over_time(
    model: Imager, stream: VariedEEG, n_blocks: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return what is told of regions at single times, the truth, and of how many.

    Of regions and times with a probability above ``SURE``; the number is that of
    recordings with any.
    """
    told, true, recordings = [], [], 0
    for block in tqdm(range(n_blocks), unit="cap"):
        batch = stream.batch(range(block * BLOCK, (block + 1) * BLOCK))
        network = model.network.serving(batch.leadfield)
        for first in range(0, BLOCK, PART):
            part = slice(first, first + PART)
            with torch.inference_mode():
                activity, probability = network.image(batch.eeg[part])
            truth = (batch.waveforms[part].mT @ batch.weights[part]).mT.abs()
            active = truth > OF_PEAK * truth.amax(-1, keepdim=True)
            images = zip(activity.mT.numpy(), probability.numpy(), strict=True)
            for image, known in zip(images, active.numpy(), strict=True):
                likely = probability_over_time(*image)[:, ::EVERY]
                sure = likely > SURE
                told.append(likely[sure])
                true.append(known[:, ::EVERY][sure])
                recordings += sure.any()
    return np.concatenate(told), np.concatenate(true), recordings


def largest_gap(
    told: np.ndarray, true: np.ndarray, sure: int | None = None
) -> dict[str, float]:
    """Return the largest gap of a bin above ``SURE``, and that bin's standard error.

    ``sure`` is the number of recordings with a probability above it.
    """
    table = reliability(told, true)
    table = table[table.predicted > SURE]
    gap = (table.observed - table.predicted).abs()
    worst = table.loc[gap.idxmax()]
    # Regions of one recording are not independent: a patch is right or wrong as one.
    n_sure = np.sum((told > SURE).any(axis=1)) if sure is None else sure
    spread = np.sqrt(worst.observed * (1 - worst.observed) / n_sure)
    return {
        "recordings": len(told) if sure is None else sure,
        "predicted": worst.predicted,
        "observed": worst.observed,
        "largest_gap": gap.max(),
        "standard_error": spread,
    }


def rows_of_windows(model: Imager, stream: VariedEEG, n_caps: int) -> list[dict]:
    """Compare the probabilities of whole windows, by kinds of recordings."""
    facts, told, true = told_and_true(model, stream, n_caps)
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
    return [
        {"recordings_of": name, **largest_gap(told[here], true[here])}
        for name, here in groups.items()
    ]


def row_of_times(
    model: Imager, stream: VariedEEG, n_caps: int, seed: int
) -> dict[str, float | str]:
    """Compare the probabilities of regions at single times."""
    told, true, recordings = told_and_true_over_time(model, stream, n_caps)
    print(reliability(told, true).round(3).to_string(index=False))
    name = f"per time, seed {seed}"
    return {"recordings_of": name, **largest_gap(told, true, recordings)}


def row_of_person(
    model: Imager, stream: VariedEEG, n_caps: int
) -> dict[str, float | str]:
    """Compare the probabilities of whole windows of a person's own head.

    They are recalibrated, as those of recordings are.
    """
    _, told, true = told_and_true(model, stream, n_caps)
    told = of_people(told, model.card)
    print(reliability(told, true).round(3).to_string(index=False))
    return {"recordings_of": "a person's own head", **largest_gap(told, true)}


def main() -> None:
    """Compare, and print or save the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--caps", type=int, default=24, help="of 64 recordings each")
    parser.add_argument("--heads", default="_build/calibration", help="kept here")
    parser.add_argument("--only", choices=PARTS, help="some of the rows")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    head = dl.load_head_model("template-75")
    model = dl.load_model(arguments.model, head=head, device="cpu")
    make_stream = partial(
        VariedEEG,
        model.head,
        dl.load_spike_library(split="test"),
        artifacts=load_artifact_sources(),
        n_sources=ANY_CAP_SOURCES,
    )
    rows: list[dict] = []
    wanted = [arguments.only] if arguments.only else PARTS
    if "window" in wanted or "time" in wanted:
        heads = other_heads(Path(arguments.heads))
    if "window" in wanted:
        rows += rows_of_windows(model, make_stream(heads, seed=SEED), arguments.caps)
    if "time" in wanted:
        rows += [
            row_of_times(model, make_stream(heads, seed=seed), arguments.caps, seed)
            for seed in SEEDS_OF_TIMES
        ]
    if "person" in wanted:
        stream = make_stream(personal_cap(), seed=SEED)
        rows.append(row_of_person(model, stream, arguments.caps))
    finish(merged(rows, arguments.save, "recordings_of"), arguments.save)


if __name__ == "__main__":
    main()
