"""What limits the image of a single source: the threshold, the noise, or its edge.

Run ``python benchmarks/single_sources.py --save data/experiments/single_sources.csv``
(two minutes on one core). Single sources that grow as the paper's, imaged once; regions
are then selected in several ways, some of which know what nobody knows of a recording:

- *Otsu*, *probability*: the usual ways;
- *best threshold*: of all thresholds of the probability, the one whose F-measure of
  precision and recall is the largest in this very recording;
- *list of patches*: of all that a source of these test recordings can be (some thirty
  for each region), the one whose scalp map is most like the strongest map of the
  recording. The published code draws the patches of training and test from one list;
- *blurred truth*: Otsu's threshold on the true activity, blurred along the cortex until
  its map is most like the network's.

The same in recordings next to without noise and background.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from short_runs import finish_with_facts
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.cortex import Cortex, decay, patch_candidates
from deepsif_lite.cortex.patches import STREAM_PATCHES
from deepsif_lite.imaging import Imager
from deepsif_lite.metrics import localization_error, precision_recall
from deepsif_lite.metrics.extent import Selector
from deepsif_lite.metrics.scores import f_measure
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import Sample

NETWORKS = {"deepsif": "lite-75", "known head": "lite-75-known-head"}
SEED = 808
RECORDINGS = {
    "as the paper's": {},
    "hardly any noise": {"source_snr": (40.0, 40.0), "sensor_snr": (40.0,)},  # dB
}
BLURS = np.arange(1, 16) * 1e-3  # m; the first is none, for regions are larger
HALF = 0.05  # m, half-distance of decay, in the middle of those that are drawn


class Blur:
    """Blurs activity along the cortex, by Gaussians of several widths."""

    def __init__(self, cortex: Cortex) -> None:
        areas = cortex.areas
        self._kernels = []
        for width in BLURS:
            kernel = np.exp(-0.5 * (cortex.distances / width) ** 2)
            kernel = areas[:, None] * kernel
            self._kernels.append((kernel / kernel.sum(axis=0)).astype(np.float32))

    def like(self, image: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Return the truth, blurred until its map is most like that of an image."""
        wanted = np.sqrt((image**2).mean(axis=0))
        # One source: its map is blurred as its activity is, at every time.
        strength = np.sqrt((truth**2).mean(axis=0))
        maps = np.array([strength @ kernel for kernel in self._kernels])
        likeness = maps @ wanted / np.linalg.norm(maps, axis=1)
        return truth @ self._kernels[likeness.argmax()]


class Candidates:
    """All patches that a stream of some seed can draw, and their scalp maps."""

    def __init__(self, model: Imager, seed: int) -> None:
        cortex, self._network = model.head.cortex, model.network
        self._patches = [
            patch
            for region in range(cortex.n_regions)
            for patch in patch_candidates(
                cortex,
                region,
                rng=np.random.default_rng([seed, STREAM_PATCHES, region]),
            )
        ]
        weights = torch.zeros(len(self._patches), cortex.n_regions)
        for row, patch in zip(weights, self._patches, strict=True):
            row[patch] = torch.from_numpy(decay(cortex, patch, HALF)).float()
        self._maps = self._network.scalp_maps(weights)

    def likest(self, eeg: np.ndarray) -> np.ndarray:
        """Return the patch whose scalp map is most like the strongest of EEG."""
        with torch.inference_mode():
            maps, *_ = self._network.modes(torch.from_numpy(eeg)[None])
            return self._patches[int((self._maps @ maps[0, 0]).abs().argmax())]


def best_threshold(probability: np.ndarray, patch: np.ndarray) -> np.ndarray:
    """Return the regions above the threshold with the largest F-measure."""
    order = np.argsort(-probability)
    measures = [
        f_measure(*precision_recall(order[:k], patch)) for k in range(1, len(patch) * 2)
    ]
    return order[: int(np.argmax(measures)) + 1]


def selections(
    sample: Sample, model: Imager, blur: Blur, candidates: Candidates
) -> Iterator[tuple[str, np.ndarray]]:
    """Image a recording, and yield ways to select regions with what they select."""
    image, probability = model.predict_with_probability(sample.eeg)
    usual = Selector(image, probability)
    yield "Otsu", usual.select("corrected")
    yield "probability", usual.select("probability")
    yield "best threshold", best_threshold(probability, sample.patches[0])
    yield "list of patches", candidates.likest(sample.eeg)
    blurred = blur.like(image, sample.activity)
    yield "blurred truth", Selector(blurred).select("corrected")


def score(sample: Sample, cortex: Cortex, found: np.ndarray) -> dict[str, float]:
    """Score the regions found of a single source, in the units of the tables."""
    patch = sample.patches[0]
    precision, recall = precision_recall(found, patch)
    error = 1e3 * localization_error(found, patch, cortex.distances)
    areas = {"area": cortex.areas[patch].sum(), "found": cortex.areas[found].sum()}
    return {"precision": precision, "recall": recall, "error_mm": error} | areas


def measure(network: str, clips: SpikeLibrary, n: int) -> Iterator[dict]:
    """Yield a row for each kind of recordings and each way to select regions."""
    model = dl.load_model(NETWORKS[network])
    cortex = model.head.cortex
    blur, candidates = Blur(cortex), Candidates(model, SEED)
    for kind, options in RECORDINGS.items():
        stream = dl.SyntheticEEG(model.head, clips, n_sources=1, seed=SEED, **options)
        rows = [
            {"way": way, **score(sample, cortex, found)}
            for sample in map(stream.__getitem__, tqdm(range(n), desc=kind))
            for way, found in selections(sample, model, blur, candidates)
        ]
        for way, part in pd.DataFrame(rows).groupby("way", sort=False):
            row = {"network": network, "recordings": kind, "way": way}
            for name in ("precision", "recall", "error_mm"):
                row[name], row[f"{name}_se"] = part[name].agg(["mean", "sem"])
            row["area_correlation"] = part["area"].corr(part["found"])
            yield row | {"n": len(part)}


def main() -> None:
    """Measure both networks, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=120, help="recordings of a kind")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    start = perf_counter()
    clips = dl.load_spike_library(split="test")
    rows = [row for name in NETWORKS for row in measure(name, clips, arguments.samples)]
    finish_with_facts(pd.DataFrame(rows), arguments.save, start)


if __name__ == "__main__":
    main()
