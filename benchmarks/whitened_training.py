"""Train a network on whitened recordings, and see whether it whitens the better for it.

Run ``python benchmarks/whitened_training.py --save
data/experiments/whitened_training.csv`` (half an hour on one core; a run that was
stopped goes on). Two small networks go on learning from where plain samples have taken
them (see ``benchmarks/variety.py``), from equally many recordings of the same kind:
with a baseline before the sources, and with eyes, muscles and rhythms that the 64
recordings of a session share. One sees them as they are; the other sees half of the
sessions whitened, data and leadfield, by a covariance of one to sixteen of their
baselines. Both image other recordings as they are and by their own baselines.

A row compares, paired by recording, with the first network and no baseline.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from baseline_whitening import (
    BLOCK,
    N_BASELINE,
    SEEDS,
    VARIETY,
    WithBaseline,
    image,
    recordings,
    test_stream,
    ways,
)
from numpy.typing import NDArray
from short_runs import finish_with_facts
from tqdm.auto import tqdm
from variety import PLAIN, SIZES, learn, train_once

import deepsif_lite as dl
from deepsif_lite.metrics import average_precision
from deepsif_lite.signals import average_reference, normalize
from deepsif_lite.solvers import noise_covariance, whitening_matrix
from deepsif_lite.synthesis import Batch
from deepsif_lite.training import run

MOST_BASELINES = 16  # of a session, behind a covariance
WAYS = ("as it is", "whitened")


class Session(WithBaseline):
    """Recordings of one person each block: what is not the response has its places."""

    whitened_share = 0.0

    def _draw(self, index: int):
        draw = super()._draw(index)
        first = self._first_of(index // self.block_size)
        rng = np.random.default_rng([self.seed, index])
        draw.wearer = first.wearer
        draw.artifacts, draw.artifact_db = (
            _later(first.artifacts, rng),
            first.artifact_db,
        )
        draw.rhythms, draw.rhythm_db = _later(first.rhythms, rng), first.rhythm_db
        return draw

    @lru_cache(maxsize=2)  # noqa: B019 - a stream lives as long as its training
    def _first_of(self, block: int):
        return super()._draw(block * self.block_size)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Make the samples of the given indices, which are of one session."""
        whole = super().batch(indices)
        eeg = whole.eeg[:, N_BASELINE:]
        rng = np.random.default_rng([self.seed, *indices[:2]])
        leadfield = whole.leadfield
        if rng.random() < self.whitened_share:
            count = int(rng.integers(1, MOST_BASELINES + 1))
            quiet = whole.eeg[rng.permutation(len(eeg))[:count], :N_BASELINE].numpy()
            matrix = whitener(quiet, leadfield)
            eeg = eeg @ torch.from_numpy(matrix.astype(np.float32))
            leadfield = matrix @ average_reference(leadfield)
        return replace(
            whole,
            eeg=normalize(eeg),
            waveforms=whole.waveforms[..., N_BASELINE:],
            leadfield=leadfield,
        )


class WhitenedSession(Session):
    """The same, half of the sessions whitened."""

    whitened_share = 0.5


ARMS = {"as they are": Session, "half of them whitened": WhitenedSession}


def _later(
    drawn: tuple[NDArray, NDArray] | None, rng: np.random.Generator
) -> tuple[NDArray, NDArray] | None:
    """Move time courses on; their places and maps stay."""
    if drawn is None or not len(drawn[0]):
        return drawn
    courses, maps = drawn
    return np.roll(courses, rng.integers(courses.shape[-1]), axis=-1), maps


def whitener(quiet: NDArray, leadfield: NDArray) -> NDArray:
    """Return the whitening matrix of some baselines, (n, n_times, n_channels)."""
    quiet = quiet - quiet.mean(axis=1, keepdims=True)
    centered = average_reference(quiet.reshape(-1, quiet.shape[-1]).astype(float), 1)
    head = argparse.Namespace(leadfield=leadfield, modality="eeg")
    return whitening_matrix(noise_covariance(centered, "ledoit_wolf"), head)


def go_on(folder: Path, start: Path, arm: type, seed: int, n_steps: int) -> Path:
    """Train a network from a start, or find it trained."""
    with patch.object(run, "VariedEEG", arm):  # what training draws its samples from
        return train_once(
            folder,
            n_steps,
            start,
            variety=VARIETY,
            options=SIZES,
            seed=seed + 100,  # other samples than those of the start
        )


def measure(folder: Path, arm: str, n_caps: int) -> list[dict]:
    """Image recordings as they are and by their baselines, a row each."""
    model = dl.load_model(folder, head=dl.load_head_model("template-75"))
    rows = []
    for seed in SEEDS:
        stream = test_stream(model.head, seed, sampler=None)
        for number, sample in enumerate(recordings(stream, n_caps)):
            quiet, window = np.split(sample["eeg"].astype(float), [N_BASELINE])
            gain = average_reference(sample["leadfield"])
            for way, matrix in ways(quiet, window):
                if way in WAYS:
                    told = image(model, window @ matrix, matrix @ gain).probability
                    found = average_precision(told, sample["regions"])
                    facts = {"trained_on": arm, "imaged": way}
                    facts |= {"recording": f"{seed}-{number}"}
                    rows.append(facts | {"average_precision": found})
    return rows


def compare(table: pd.DataFrame) -> pd.DataFrame:
    """Return means, and differences from the first network without a baseline."""
    keys = ["trained_on", "imaged"]
    scores = table.pivot_table(
        "average_precision", ["seed", "recording"], keys, sort=False
    )
    rows = []
    for key in scores:
        away = scores[key] - scores.iloc[:, 0]
        by_seed = away.groupby("seed").mean()
        # Recordings are paired; seeds are trainings, not recordings.
        spread = away.groupby("recording").mean().sem()
        row = dict(zip(keys, key, strict=True))
        row |= {"average_precision": scores[key].mean(), "difference": away.mean()}
        row |= {"difference_se": spread, "between_seeds": np.ptp(by_seed) / 2}
        rows.append(row | {"recordings": scores.index.levshape[1]})
    return pd.DataFrame(rows)


def main() -> None:
    """Train, image, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start-steps", type=int, default=300, help="of 64, plain")
    parser.add_argument("--steps", type=int, default=100, help="of 64, then")
    parser.add_argument("--caps", type=int, default=3, help=f"of {BLOCK} recordings")
    parser.add_argument("--starts", type=Path, default=Path("_build/variety"))
    parser.add_argument("--runs", type=Path, default=Path("_build/whitened_training"))
    parser.add_argument("--save", help="file to write, .csv")
    arguments, begun = parser.parse_args(), perf_counter()
    parts = []
    for seed in tqdm((0, 1), unit="seed"):
        start = learn(arguments.starts / f"start-{seed}", PLAIN, arguments, seed)
        for name, arm in ARMS.items():
            folder = arguments.runs / f"{name}-{seed}"
            trained = go_on(folder, start, arm, seed, arguments.steps)
            rows = measure(trained, name, arguments.caps)
            parts.append(pd.DataFrame(rows).assign(seed=seed))
    finish_with_facts(compare(pd.concat(parts)), arguments.save, begun)


if __name__ == "__main__":
    main()
