"""Our network on the sets of invertmeeg's public leaderboard, beside its solvers.

Run ``python benchmarks/leaderboard.py --save data/experiments/leaderboard.csv`` (minutes
on two cores) where ``pip install invertmeeg`` was done; it is under the GPL 3 and no
part of this library. Its own runner makes the recordings, runs its solvers and scores
them; ours then see the same recordings and are scored by the same function.

What differs from the leaderboard: the head. Recordings are made on the electrodes of
BioSemi-32 as there, but on this library's template with 994 parcels instead of 1,284
dipoles, since the network images these parcels and no others; a patch of as many
sources is larger here, so numbers of the two are beside each other, not the same test.
A leaderboard's recording has 50 samples of colored noise without a sampling rate. The
network, trained on 500 samples of spikes, gets them stretched by ``STRETCH``. The runner hands
the covariance of 200 samples of noise to its solvers ("given"); the network has no use
for it ("none"), our sparse Bayesian learning is run with it and without ("learned").
Seconds of the runner hold its scoring, too; those of ours do not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from unittest import mock

import mne
import pandas as pd
from invertmeeg import SFREQ, as_forward
from numpy.typing import NDArray
from scipy.signal import resample

import deepsif_lite as dl
from deepsif_lite.head import HeadModel, template_cap
from deepsif_lite.results import commit
from deepsif_lite.solvers import get_solver

SETS = ("extended_source", "noisy")
THEIRS = ("sloreta", "flex-champagne")
CAP = "biosemi32"
STRETCH = 10  # 50 samples to the 500 of the training

Image = Callable[[NDArray, NDArray], NDArray]  # of EEG and noise covariance
Methods = dict[tuple[str, str], Image]  # by name, and how the noise is known


def load_cap() -> HeadModel:
    """Return the template head with the leaderboard's electrodes."""
    return template_cap(mne.channels.make_standard_montage(CAP).ch_names)


def stretched(eeg: NDArray, predict: Callable[[NDArray], NDArray]) -> NDArray:
    """Image EEG (n_times, n_channels) that was stretched; n_times samples again."""
    activity = predict(resample(eeg, STRETCH * len(eeg)))
    return activity[::STRETCH]


def ours(head: HeadModel) -> Methods:
    """Return the methods of this library, from EEG and noise covariance to activity."""
    network = dl.load_model("lite").on(head)
    bayes = get_solver("champagne")
    return {
        ("deepsif", "none"): lambda eeg, _: stretched(eeg, network.predict),
        ("champagne", "given"): lambda eeg, cov: bayes(eeg, head, noise_cov=cov),
        ("champagne", "learned"): lambda eeg, _: bayes(eeg, head),
    }


def run_theirs(head: HeadModel, n_samples: int, seed: int) -> tuple[object, list]:
    """Run the leaderboard; return its runner, and the batches that it made."""
    from invert.benchmark import runner

    batches = []

    class Remembering(runner.SimulationGenerator):
        def generate(self):
            for batch in super().generate():
                batches.append(batch)
                yield batch

    forward = as_forward(head)
    for space in forward["src"]:
        space["subject_his_id"] = None  # distances on the template, no MNI lookup
    info = mne.create_info(list(head.ch_names), SFREQ, "eeg")
    info.set_montage(head.info.get_montage())
    sets = {name: runner.BENCHMARK_DATASETS[name] for name in SETS}
    with mock.patch.object(runner, "SimulationGenerator", Remembering):
        leaderboard = runner.BenchmarkRunner(
            forward,
            info,
            solvers=list(THEIRS),
            datasets=sets,
            n_samples=n_samples,
            n_jobs=1,
            random_seed=seed,
        )
        leaderboard.results = leaderboard.run()
    return leaderboard, batches


def rows_of_theirs(results: list) -> Iterator[dict]:
    """Yield a row for each recording and solver of the leaderboard."""
    for result in results:
        each = result.timing.total_seconds / len(result.samples)
        for sample in result.samples:
            yield {
                "recordings": result.dataset_name,
                "method": result.solver_name,
                "noise": "given",
                "by": "invertmeeg",
                "EMD": sample.emd,
                "AP": sample.ap,
                "seconds": each,
            }


def rows_of_ours(methods: Methods, batches: list, score) -> Iterator[dict]:
    """Yield a row for each recording and method of ours."""
    for name, (eegs, truths, facts) in zip(SETS, batches, strict=True):
        for eeg, truth, noise_cov in zip(
            eegs, truths, facts["noise_cov_est_scaled"], strict=True
        ):
            for (method, noise), image in methods.items():
                start = time.perf_counter()
                activity = image(eeg.T.copy(), noise_cov)
                row = {"seconds": time.perf_counter() - start, "recordings": name}
                row |= {"method": method, "noise": noise, "by": "deepsif-lite"}
                yield row | score(truth, activity.T)


def measure(n_samples: int, seed: int) -> Iterator[dict]:
    """Yield a row for each recording and method, theirs and ours."""
    from invert.benchmark import runner

    head = load_cap()
    leaderboard, batches = run_theirs(head, n_samples, seed)
    yield from rows_of_theirs(leaderboard.results)
    sources = leaderboard.forward["src"]
    touching = mne.spatial_src_adjacency(sources, verbose=False)
    places = runner.pos_from_forward(leaderboard.forward)

    def score(truth: NDArray, found: NDArray) -> dict[str, float]:
        scores = runner.evaluate_all(truth, found, touching, touching, places, places)
        return {"EMD": scores["EMD"], "AP": scores["average_precision"]}

    methods = ours(head)
    for image in methods.values():  # what is loaded and compiled once
        image(batches[0][0][0].T.copy(), batches[0][2]["noise_cov_est_scaled"][0])
    yield from rows_of_ours(methods, batches, score)


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return means and standard errors; the earth mover's distance in mm.

    An image of zeros has an average precision and no distance: it is left out of the
    mean, as the leaderboard does, and counted as ``empty``.
    """
    table = table.assign(EMD_mm=1e3 * table["EMD"])
    groups = table.groupby(["recordings", "method", "noise", "by"], sort=False)
    means = groups[["EMD_mm", "AP"]].mean()
    errors = groups[["EMD_mm", "AP"]].sem().add_suffix("_se")
    facts = {
        "empty": groups["EMD_mm"].agg(lambda values: values.isna().sum()),
        "seconds": groups["seconds"].median(),
        "n": groups.size(),
    }
    return means.join(errors).assign(**facts).reset_index()


def main() -> None:
    """Measure all, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20, help="of a set")
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    table = summarize(pd.DataFrame(measure(arguments.samples, arguments.seed)))
    versions = {
        "invertmeeg": f"invertmeeg {metadata.version('invertmeeg')}",
        "deepsif-lite": f"deepsif-lite {commit()}",
    }
    table["version"] = table["by"].map(versions)
    kept = [a for a in sys.argv[1:] if a not in ("--save", arguments.save)]
    table["command"] = " ".join(["benchmarks/leaderboard.py", *kept])
    print(table.drop(columns=["version", "command"]).round(3).to_string(index=False))
    if arguments.save:
        table.round(4).to_csv(arguments.save, index=False)


if __name__ == "__main__":
    main()
