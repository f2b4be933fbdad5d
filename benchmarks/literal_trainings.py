"""What each literal reading changes that needs a training of its own.

Run ``python benchmarks/literal_trainings.py --save data/experiments/literal_trainings.csv``
(seven minutes on one core; a run that was stopped goes on). Networks learn from
their random start, for equally many samples, with two seeds, alike but for one thing,
and all are scored on the same recordings of clips that none was trained on.

Two networks: a small one of the kind shipped, and a small one of the paper's kind, for
whose optimizer a sum and a mean are not the same. Three LSTM layers of 994 regions do
not learn in minutes, so the latter images the mean activity of groups of regions, in
short windows. How the error and the weight decay share in a step is measured beside it
on the paper's network in full size.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from literal_readings import COUNTS, SCORES, options_of_readings, score
from scipy.cluster.vq import kmeans2
from short_runs import finish_with_facts, load_data
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.cortex import Cortex
from deepsif_lite.metrics import average_precision
from deepsif_lite.network import (
    NETWORKS,
    PaperNetwork,
    ScanNetwork,
    SourceNetwork,
)
from deepsif_lite.network.protocol import identity
from deepsif_lite.paths import whole_file
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import Batch
from deepsif_lite.training import TrainingConfig
from deepsif_lite.training.learner import Learner
from deepsif_lite.training.processes import Processes

_data = cache(load_data)
SEEDS = (0, 1)
TEST_SEED = 601
N_GROUPS, N_TIMES = 64, 100  # of the small network of the paper's kind
ALONE = Processes(0, 1, torch.device("cpu"))
MISSED = "energy_missed"  # share of the energy of the true activity
FULL_SIZE = 64 * 500 * 994  # numbers that a batch of the paper adds up


class ErrorAlone(ScanNetwork):
    """Learns from the squared error only, as the paper's does."""

    def loss(self, batch: Batch, total=identity) -> dict[str, torch.Tensor]:
        """Return one part of the network's own loss."""
        return {"total": super().loss(batch, total)["error"]}


class MeanError(PaperNetwork):
    """Learns from the mean of the squared errors, which is what the paper names."""

    def loss(self, batch: Batch, total=identity) -> dict[str, torch.Tensor]:
        """Return the network's own loss, divided by how many numbers it adds up."""
        summed = super().loss(batch, total)["total"]
        return {"total": summed / batch.activity.numel()}


@dataclass(frozen=True, eq=False)  # one is itself alone, and can be a key
class Reading:
    """What one training has otherwise.

    Attributes
    ----------
    name : str
    config : dict
        Of the :class:`TrainingConfig`.
    stream : callable | None
        Returns what differs in the samples, of a seed and the clips.
    network : type | None
        Network with another loss.
    n_distinct : int | None
        Samples that are learned from over and over.
    """

    name: str
    config: dict = field(default_factory=dict)
    stream: Callable[[int, SpikeLibrary], dict] | None = None
    network: type[SourceNetwork] | None = None
    n_distinct: int | None = None


def _as_in_recordings(name: str) -> Reading:
    """Return a reading of the training that ``literal_readings.py`` has of the test."""
    return Reading(
        name, stream=lambda seed, clips: options_of_readings(seed, clips)[name]
    )


OURS = Reading("")
READINGS = {
    "paper": (
        OURS,
        Reading("mean of the errors in place of their sum", network=MeanError),
        Reading("learning rate that never falls", {"schedule": "constant"}),
    ),
    "lite": (
        OURS,
        Reading("learning rate that never falls", {"schedule": "constant"}),
        Reading("learning rate of the paper", {"learning_rate": 3e-4}),
        Reading("squared error alone", network=ErrorAlone),
        Reading("four samples over and over", n_distinct=4),
        Reading(
            "recordings made as the published code does",
            stream=lambda *_: {"variant": "published"},
        ),
        _as_in_recordings("one half-distance of decay for all"),
        _as_in_recordings("clips of one gain alone"),
    ),
}
SMALL = {"width": 64, "depth": 1, "local_width": 32, "n_messages": 1, "n_modes": 4}
SMALL |= {"n_shapes": 5, "n_scans": 1, "most_together": 1}
CONFIGS = {
    "lite": TrainingConfig(n_steps=80, batch_size=16, options=SMALL),
    "paper": TrainingConfig(
        "paper",
        n_steps=250,
        batch_size=16,
        schedule="stepped",
        weight_decay=1e-6,
        n_times=N_TIMES,
        ema_decay=0.0,
        options={"width": 100},
    ),
}


@lru_cache(maxsize=1)
def groups_of(cortex: Cortex) -> torch.Tensor:
    """Return what averages over groups of regions, shape (n_regions, N_GROUPS)."""
    _, group = kmeans2(cortex.centroids, N_GROUPS, minit="++", rng=0)
    members = np.eye(N_GROUPS, dtype=np.float32)[group]
    return torch.from_numpy(members / members.sum(axis=0).clip(min=1))


def in_groups(batch: Batch, cortex: Cortex) -> Batch:
    """Return a batch whose activity is that of groups of regions."""
    batch = replace(batch, weights=batch.weights @ groups_of(cortex))
    peak = batch.activity.abs().amax((1, 2))[:, None, None]
    return replace(batch, weights=batch.weights / peak)


@lru_cache(maxsize=1)
def training_batches(kind: str, seed: int, reading: Reading) -> list[Batch]:
    """Make the batches that a network of some kind learns from with a seed."""
    head, clips, _ = _data()
    config = CONFIGS[kind]
    options = {} if reading.stream is None else reading.stream(seed, clips)
    clips = options.pop("library", clips)
    stream = dl.SyntheticEEG(
        head, clips, n_sources=COUNTS, n_times=config.n_times, seed=seed, **options
    )
    n, size = config.n_steps, config.batch_size
    if reading.n_distinct is not None:
        return n * [stream.batch([k % reading.n_distinct for k in range(size)])]
    batches = stream.batches(n * size, size)
    if kind == "paper":
        batches = (in_groups(batch, head.cortex) for batch in batches)
    return list(batches)


def learn(kind: str, seed: int, reading: Reading) -> SourceNetwork:
    """Train one network from its random start."""
    head, *_ = _data()
    config = replace(CONFIGS[kind], seed=seed, **reading.config)
    torch.manual_seed(seed)
    n_regions = N_GROUPS if kind == "paper" else head.cortex.n_regions
    make = reading.network or NETWORKS[kind]
    network = make(len(head.ch_names), n_regions, **config.options)
    network.set_geometry(head.leadfield, head.cortex)
    learner = Learner(network, config, ALONE)
    own = reading.stream is not None or reading.n_distinct is not None
    for batch in training_batches(kind, seed, reading if own else OURS):
        learner.learn(batch)
    return learner.exported.eval()


@cache
def test_streams(kind: str) -> list[dl.SyntheticEEG]:
    """Return recordings with one, two and three sources, of the clips for tests."""
    head, _, clips = _data()
    n_times = CONFIGS[kind].n_times
    return [
        dl.SyntheticEEG(
            head, clips, n_sources=count, n_times=n_times, seed=TEST_SEED + count
        )
        for count in COUNTS
    ]


@torch.inference_mode()
def scores_of_lite(network: SourceNetwork, n: int) -> Iterator[dict[str, float]]:
    """Yield the scores of each recording: regions by Otsu, as the paper's."""
    for stream in test_streams("lite"):
        for sample in map(stream.__getitem__, range(n)):
            image = network(torch.from_numpy(sample.eeg)[None])[0].numpy()
            active = np.unique(np.concatenate(sample.patches))
            power = np.sqrt((image**2).mean(axis=0))
            yield {
                **score(image, sample, stream.head.cortex),
                "average_precision": average_precision(power, active),
            }


@torch.inference_mode()
def scores_of_papers(network: SourceNetwork, n: int) -> Iterator[dict[str, float]]:
    """Yield the scores of each recording in groups of regions."""
    for stream in test_streams("paper"):
        batch = in_groups(stream.batch(range(n)), stream.head.cortex)
        images = network(batch.eeg)
        missed = (images - batch.activity).square().sum((1, 2))
        whole = batch.activity.square().sum((1, 2))
        for image, truth, part in zip(
            images.square().mean(1), batch.activity, missed / whole, strict=True
        ):
            power = truth.square().mean(0)
            active = np.flatnonzero(power > power.max() / 4)  # half of its magnitude
            yield {
                MISSED: float(part),
                "average_precision": average_precision(image.numpy(), active),
            }


SCORED = {
    "lite": (scores_of_lite, (*SCORES, "average_precision")),
    "paper": (scores_of_papers, (MISSED, "average_precision")),
}


def measure(folder: Path, kind: str, seed: int, reading: Reading, n: int) -> Path:
    """Train and score a network, or find its scores."""
    path = folder / f"{kind}-{seed}-{reading.name or 'ours'}.csv"
    if not path.is_file():
        of_kind, columns = SCORED[kind]
        table = pd.DataFrame(of_kind(learn(kind, seed, reading), n))
        with whole_file(path) as partial:
            table[list(columns)].to_csv(partial, index=False)
    return path


def compare(kind: str, reading: Reading, paths: dict) -> Iterator[dict]:
    """Yield a row for each measure: pairs of recordings, averaged over the seeds."""
    tables = {
        which: [pd.read_csv(paths[kind, seed, which]) for seed in SEEDS]
        for which in (OURS.name, reading.name)
    }
    both = {which: pd.concat(each, keys=SEEDS) for which, each in tables.items()}
    gaps = both[reading.name] - both[OURS.name]
    for measure_name in gaps:
        by_recording = gaps[measure_name].groupby(level=1).mean()
        by_seed = gaps[measure_name].groupby(level=0).mean()
        yield {
            "reading": reading.name,
            "network": kind,
            "samples": CONFIGS[kind].n_steps * CONFIGS[kind].batch_size,
            "measure": measure_name,
            "ours": both[OURS.name][measure_name].mean(),
            "literal": both[reading.name][measure_name].mean(),
            "difference": by_recording.mean(),
            "difference_se": by_recording.sem(),
            "between_seeds": np.ptp(by_seed) / 2,
            "n": by_recording.count(),
        }


def of_optimizer(n: int = 2) -> dict[str, str | float]:
    """Compare error and weight decay in a step of the paper's network, full size."""
    model = dl.load_model("paper-75")
    decay = CONFIGS["paper"].weight_decay
    _, _, clips = _data()
    stream = dl.SyntheticEEG(model.head, clips, n_sources=2, seed=TEST_SEED)
    batch = stream.batch(range(n))
    model.network.requires_grad_().loss(batch)["total"].backward()
    weights = [p for p in model.network.parameters() if p.grad is not None]
    size = torch.cat([p.detach().flatten() for p in weights]).abs()
    mean = torch.cat([p.grad.flatten() for p in weights]).abs()
    mean /= batch.activity.numel()
    learned = size > 0  # what rounds sizes up stays zero

    def share(error: torch.Tensor) -> float:
        return float((decay * size > error)[learned].float().mean())

    ours, literal = share(mean * FULL_SIZE), share(mean)
    return {
        "reading": "mean of the errors in place of their sum",
        "network": "paper-75",
        "measure": "share of weights that decay moves more than the error",
        "ours": ours,
        "literal": literal,
        "difference": literal - ours,
        "n": n,
    }


def main() -> None:
    """Train, score, and print or save the table of differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=24, help="of each number")
    parser.add_argument("--runs", type=Path, default=Path("_build/literal"))
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    start = perf_counter()
    # Readings with the same samples follow each other, which are made once.
    runs = [(k, seed, r) for k in READINGS for seed in SEEDS for r in READINGS[k]]
    paths = {
        (kind, seed, reading.name): measure(
            arguments.runs, kind, seed, reading, arguments.samples
        )
        for kind, seed, reading in tqdm(runs, unit="training")
    }
    rows = [
        row
        for kind, readings in READINGS.items()
        for reading in readings[1:]
        for row in compare(kind, reading, paths)
    ]
    finish_with_facts(pd.DataFrame([*rows, of_optimizer()]), arguments.save, start)


if __name__ == "__main__":
    main()
