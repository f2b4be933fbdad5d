"""Time the training and the use of both networks.

Run ``make bench``. Everything in the tables comes from this one run, on this
machine's device: samples a second of each network's training and the share of it
spent waiting for data; beside the paper's network a training loop built like the
published one (a dataset that projects each sample's 500 x 994 activity in NumPy,
batches of 64, float32); and the time to image one second of EEG on two cores, alone and
in a long recording.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from deepsif_lite.cortex import decay, grow_patch
from deepsif_lite.head import TrainingHead, load_training_head
from deepsif_lite.imaging.running import run_network
from deepsif_lite.network import SourceNetwork, build_network
from deepsif_lite.signals import normalize
from deepsif_lite.spikes import SpikeLibrary, load_spike_library
from deepsif_lite.training import configuration_of, train
from deepsif_lite.training.monitor import LOG_EVERY

CORES = 2  # of the laptop that inference is meant for
CLOCK = ("samples", "seconds", "waited")  # columns of a run's log
TARGETS = {"lite": 10, "paper": 100}  # ms for one second of EEG
MANY = 64  # windows of a long recording


def training_speed(
    head: TrainingHead,
    clips: SpikeLibrary,
    network: str,
    *,
    device: str,
    batch_size: int,
    n_steps: int,
) -> dict[str, float]:
    """Time ``train`` between its first log point and its last.

    Nothing is scored in between, and a validation takes two samples.
    """
    config = replace(
        configuration_of("lite", network),
        n_steps=n_steps,
        batch_size=batch_size,
        validation_size=2,
        score_size=1,
        score_every=n_steps,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = train(head, clips, folder, config=config, device=device, progress=False)
        log = (Path(out) / "log.csv").read_text(encoding="utf-8")
        first, *_, last = csv.DictReader(log.splitlines())
    samples, seconds, waited = (float(last[key]) - float(first[key]) for key in CLOCK)
    return {
        "batch": batch_size,
        "samples a second": samples / seconds,
        "waiting for data (%)": 100 * waited / seconds,
    }


class PublishedDataset(Dataset):
    """Samples made one by one as the authors' loader does, in NumPy.

    It is spared the authors' reading of a file for each sample: some clips are
    decoded beforehand.
    """

    def __init__(
        self, head: TrainingHead, clips: SpikeLibrary, n_samples: int, n_clips: int = 16
    ) -> None:
        self.head, self.n_samples = head, n_samples
        self.clips = [clips.background(i) for i in range(min(n_clips, len(clips)))]
        self.spikes = clips.waveforms

    def __len__(self) -> int:
        return self.n_samples

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(index)
        raw, target = 0, 0
        for _ in range(2):
            clip = rng.integers(len(self.clips))
            seed = rng.integers(self.head.cortex.n_regions)
            patch = grow_patch(self.head.cortex, seed, rng=rng)
            wave = self.spikes[clip] / self.spikes[clip].max()
            activity = self.clips[clip].copy()
            activity[:, patch] = np.outer(wave, decay(self.head.cortex, patch, 0.05))
            only = np.zeros_like(activity)
            only[:, patch] = activity[:, patch]
            raw, target = raw + activity, target + only
        eeg = (self.head.leadfield @ raw.T).T
        noise = rng.standard_normal(eeg.shape) * np.sqrt((eeg**2).mean(axis=0) / 20)
        eeg = normalize(eeg + noise).astype(np.float32)
        return eeg, (target / target.max()).astype(np.float32)


def published_speed(
    head: TrainingHead,
    clips: SpikeLibrary,
    *,
    device: str,
    batch_size: int,
    n_steps: int,
    n_workers: int,
) -> dict[str, float]:
    """Time a loop with the structure of the authors' training: samples a second."""
    n_warm = max(1, n_steps // 4)
    data = PublishedDataset(head, clips, (n_warm + n_steps) * batch_size)
    loader = DataLoader(data, batch_size, num_workers=n_workers)
    network = build_network("paper", *head.leadfield.shape)
    # The authors' stack is one module.
    first = network.temporal[0]
    stack = torch.nn.LSTM(first.input_size, first.hidden_size, 3, batch_first=True)
    network.temporal = torch.nn.ModuleList([stack])
    network.to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4, weight_decay=1e-6)
    criterion = torch.nn.MSELoss(reduction="sum")
    waited, ready = 0.0, time.perf_counter()
    for step, (eeg, target) in enumerate(loader):
        waited += time.perf_counter() - ready
        optimizer.zero_grad()
        loss = criterion(network(eeg.to(device)), target.to(device))
        loss.backward()
        optimizer.step()
        loss.item()  # the authors print it at each step, which waits for the device
        ready = time.perf_counter()
        if step == n_warm - 1:
            began, waited = ready, 0.0
    seconds = ready - began
    return {
        "batch": batch_size,
        "samples a second": n_steps * batch_size / seconds,
        "waiting for data (%)": 100 * waited / seconds,
    }


def inference_time(network: torch.nn.Module, n_times: int, n_channels: int) -> float:
    """Median time (ms) to image one window, after a warm-up."""
    eeg = torch.randn(1, n_times, n_channels)
    with torch.inference_mode():
        return median_time(lambda: network(eeg), n_warm=5, n_timed=40)


def inference_time_of_many(
    network: SourceNetwork, n_times: int, n_channels: int
) -> float:
    """Median time (ms) of a window among many, imaged as recordings are."""
    eeg = torch.randn(MANY, n_times, n_channels)
    return median_time(lambda: run_network(network, eeg, "cpu"), 1, 5) / MANY


def median_time(work: Callable[[], object], n_warm: int, n_timed: int) -> float:
    """Return the median time of some work (ms) on the cores of a laptop."""
    before, times = torch.get_num_threads(), []
    torch.set_num_threads(CORES)
    for _ in range(n_warm + n_timed):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    torch.set_num_threads(before)
    return 1e3 * statistics.median(times[n_warm:])


def inference_table(head: TrainingHead, n_times: int) -> pd.DataFrame:
    """Time of each network on the CPU, with what it should take at most."""
    rows = {}
    for name, target in TARGETS.items():
        network = build_network(name, *head.leadfield.shape).eval()
        network.set_geometry(head.leadfield, head.cortex)
        variants = {name: network}
        if name == "paper":  # its weights, read again at each time step, fill the time
            variants[f"{name}, 8-bit weights"] = with_short_weights(network)
        for label, variant in variants.items():
            took = inference_time(variant, n_times, len(head.ch_names))
            rows[label] = {"ms a window": took, "target": target}
        if name == "lite":
            many = inference_time_of_many(network, n_times, len(head.ch_names))
            rows[f"lite, of {MANY} windows"] = {"ms a window": many, "target": target}
    return pd.DataFrame(rows).T


def with_short_weights(network: torch.nn.Module) -> torch.nn.Module:
    """Return a copy that keeps its weights in eight bits."""
    with warnings.catch_warnings():
        # Deprecated in favor of a package of its own, which is not needed otherwise.
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(
            network, {torch.nn.LSTM, torch.nn.Linear}, dtype=torch.qint8
        )


def training_table(
    head: TrainingHead,
    clips: SpikeLibrary,
    *,
    device: str,
    batch_size: int,
    n_steps: int,
    n_workers: int,
) -> pd.DataFrame:
    """Speed of each training loop, and its ratio to the published structure."""
    # The paper's network is some hundred times as much work; a CPU gets less of it.
    small = {"device": device, "batch_size": batch_size, "n_steps": n_steps}
    if device == "cpu":
        small |= {"batch_size": max(1, batch_size // 32), "n_steps": 2 * LOG_EVERY}
    rows = {
        "lite": training_speed(
            head, clips, "lite", device=device, batch_size=batch_size, n_steps=n_steps
        ),
        "paper": training_speed(head, clips, "paper", **small),
        "paper, as published": published_speed(
            head, clips, n_workers=n_workers, **small
        ),
    }
    table = pd.DataFrame(rows).T
    speed = table["samples a second"]
    table["ratio"] = speed / speed["paper, as published"]
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", default="template-75")
    parser.add_argument("--spikes", default="lite")
    parser.add_argument("--device", help="cpu or cuda; by default what there is")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, help="by default 100, on a GPU 2000")
    parser.add_argument("--workers", type=int, default=0, help="of the dataset")
    arguments = parser.parse_args()
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    head = load_training_head(arguments.head)
    clips = load_spike_library(arguments.spikes, split="train")
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}, ")
    print(f"load of the machine {os.getloadavg()[0]:.1f}\n")
    print(inference_table(head, clips.n_times).round(1).to_string(), "\n")
    table = training_table(
        head,
        clips,
        device=device,
        batch_size=arguments.batch_size,
        n_steps=arguments.steps or (100 if device == "cpu" else 2000),
        n_workers=arguments.workers,
    )
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
