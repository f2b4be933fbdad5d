"""Sparse Bayesian learning of this library beside flex-champagne of invertmeeg.

Run ``python benchmarks/invertmeeg.py --save data/experiments/invertmeeg.csv`` (ten
minutes on two cores) where ``pip install invertmeeg`` was done; without it, ours
alone are measured. invertmeeg is under the GPL 3 and no part of this library. Both see
the same recordings: once without knowing the noise ("learned"), and with the covariance
of the background and noise that are in the recording, which nobody has in practice, as
it is ("empirical") or shrunk ("ledoit_wolf"), which helps one method and hurts another.
Regions of an image are those above Otsu's threshold of the root mean square in time;
seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import mne
import numpy as np
import pandas as pd
from mne.io.constants import FIFF
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.head import HeadModel
from deepsif_lite.metrics import activity_map, score_sources, select_regions
from deepsif_lite.results import commit
from deepsif_lite.signals import average_reference
from deepsif_lite.solvers import get_solver, noise_covariance
from deepsif_lite.synthesis import Sample, SyntheticEEG

REGION = 1.45e-4  # m^2, of a parcel
SETS: dict[str, dict] = {
    "one source": {"n_sources": 1},
    "two sources": {"n_sources": 2},
    "three sources": {"n_sources": 3},
    "one region": {"n_sources": 1, "areas": (REGION, REGION)},
    "seven regions": {"n_sources": 1, "areas": (7 * REGION, 7 * REGION)},
}
NOISES = ("learned", "empirical", "ledoit_wolf")  # how noise is known
OURS = ("champagne", "sloreta")
THEIRS = "flex-champagne"
ORDERS = 6  # of the largest patches of theirs, as its authors compare
SFREQ = 500.0

Solve = Callable[[NDArray, NDArray | None], NDArray]


def as_forward(head: HeadModel) -> mne.Forward:
    """Return a head model as MNE's forward solution, one fixed source a region."""
    cortex = head.cortex
    centers = cortex.centroids
    normals = centers / np.linalg.norm(centers, axis=1, keepdims=True)
    sides = np.array_split(cortex.region_of_vertex, 2)
    n_left = sides[0].max() + 1
    ranges = np.split(np.arange(cortex.n_regions), [n_left])
    spaces = [
        _surface(cortex.adjacency[np.ix_(r, r)], centers[r], normals[r], kind)
        for kind, r in zip((101, 102), ranges, strict=True)  # left, right hemisphere
    ]
    leadfield = np.asarray(head.leadfield, float)
    names, fixed = list(head.ch_names), FIFF.FIFFV_MNE_FIXED_ORI
    sol = {
        "data": leadfield,
        "row_names": names,
        "col_names": [],
        "nrow": leadfield.shape[0],
        "ncol": leadfield.shape[1],
    }
    return mne.Forward(
        sol=sol,
        sol_grad=None,
        source_ori=fixed,
        nsource=cortex.n_regions,
        nchan=len(names),
        coord_frame=FIFF.FIFFV_COORD_HEAD,
        surf_ori=True,
        src=mne.SourceSpaces(spaces),
        info=mne.create_info(names, SFREQ, "eeg"),
        source_rr=centers,
        source_nn=normals,
        mri_head_t=mne.transforms.Transform("mri", "head"),
        _orig_sol=leadfield.copy(),
        _orig_source_ori=fixed,
    )


def _surface(adjacency: NDArray, centers: NDArray, normals: NDArray, kind: int) -> dict:
    """Return a source space whose neighbors are those of the parcels."""
    n = len(centers)
    # Triangles without area: each stands for the edge between two neighbors.
    edges = np.array([(a, b, b) for a, b in np.argwhere(np.triu(adjacency))])
    space = {
        "id": kind,
        "type": "surf",
        "coord_frame": FIFF.FIFFV_COORD_HEAD,
        "np": n,
        "rr": centers,
        "nn": normals,
        "tris": edges,
        "ntri": len(edges),
        "nuse": n,
        "inuse": np.ones(n, int),
        "vertno": np.arange(n),
        "use_tris": edges,
        "nuse_tri": len(edges),
        "subject_his_id": "fsaverage",
    }
    absent = ("nearest", "nearest_dist", "pinfo", "patch_inds", "dist", "dist_limit")
    return space | dict.fromkeys(absent)


def theirs(head: HeadModel) -> Solve:
    """Return flex-champagne of invertmeeg, which takes EEG and noise covariance."""
    from invert import Solver

    forward, names = as_forward(head), list(head.ch_names)
    info = mne.create_info(names, SFREQ, "eeg")
    info.set_montage(head.info.get_montage())

    def solve(eeg: NDArray, noise_cov: NDArray | None) -> NDArray:
        evoked = mne.EvokedArray(eeg.T.copy(), info, verbose=False)
        evoked.set_eeg_reference("average", projection=False, verbose=False)
        options = {}
        if noise_cov is not None:
            cov = mne.Covariance(noise_cov, names, [], [], len(eeg))
            options["noise_cov"] = cov
        solver = Solver(THEIRS, verbose=0, n_orders=ORDERS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solver.make_inverse_operator(forward.copy(), evoked, **options)
            return np.asarray(solver.apply_inverse_operator(evoked).data).T

    return solve


def ours(head: HeadModel, name: str) -> Solve:
    """Return a solver of this library."""
    solve = get_solver(name)
    return lambda eeg, noise_cov: solve(eeg, head, noise_cov=noise_cov)


def given_noise(sample: Sample, head: HeadModel, how: str) -> NDArray | None:
    """Return the covariance of what the sources do not explain; None to learn it."""
    if how == NOISES[0]:
        return None
    signal = sample.activity @ average_reference(head.leadfield).T
    signal -= signal.mean(axis=0)
    amplitude = (signal * sample.eeg).sum() / (signal**2).sum()
    rest = sample.eeg - amplitude * signal
    return noise_covariance(rest.astype(float), how)


def scores(activity: NDArray, sample: Sample, head: HeadModel) -> dict[str, float]:
    """Score one image; missed sources have a recall of 0."""
    truth = np.zeros(head.cortex.n_regions, bool)
    truth[np.concatenate(sample.patches)] = True
    found = select_regions(activity, "map")
    rows = pd.DataFrame(
        score_sources(
            activity, sample.activity, sample.patches, head.cortex, active=found
        )
    ).astype(float)
    return {
        "AP": average_precision_score(truth, activity_map(activity, "rms")),
        "precision": rows["precision"].mean(),
        "recall": rows["recall_detected"].fillna(0).mean(),
        "error_mm": 1e3 * rows["localization_error"].mean(),
        "correlation": rows["correlation"].mean(),
    }


def recordings(
    head: HeadModel, split: str, n_samples: int, seed: int
) -> Iterator[tuple[str, Sample]]:
    """Yield the recordings of all sets."""
    clips = dl.load_spike_library("lite", split=split)
    for k, (name, options) in enumerate(SETS.items()):
        stream = SyntheticEEG(head, clips, seed=1000 * seed + k, **options)
        for index in range(n_samples):
            yield name, stream[index]


def measure(
    methods: dict[str, Solve],
    noises: list[str],
    head: HeadModel,
    split: str,
    n_samples: int,
    seed: int,
) -> Iterator[dict]:
    """Yield a row for each method, recording and knowledge of the noise."""
    for name, sample in recordings(head, split, n_samples, seed):
        eeg = sample.eeg.astype(float)
        for noise in noises:
            cov = given_noise(sample, head, noise)
            for method, solve in methods.items():
                start = time.process_time()
                activity = solve(eeg, cov)
                seconds = time.process_time() - start
                row = {"recordings": name, "noise": noise, "method": method}
                row |= scores(activity, sample, head)
                yield row | {"seconds": seconds, "seed": seed}


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return means, the standard error of AP, and the median of the seconds."""
    groups = table.groupby(["recordings", "noise", "method"], sort=False)
    means = groups[["AP", "precision", "recall", "error_mm", "correlation"]].mean()
    means.insert(1, "AP_se", groups["AP"].sem())
    return means.assign(
        seconds=groups["seconds"].median(), n=groups.size()
    ).reset_index()


def update(path: Path, rows: pd.DataFrame) -> None:
    """Write rows into a table in place of those of the same recordings and method."""
    keys = ["recordings", "noise", "method"]
    if path.exists():
        stored = pd.read_csv(path).set_index(keys)
        fresh = rows.set_index(keys)
        other = fresh.index.difference(stored.index, sort=False)
        order = [*stored.index, *other]
        kept = stored.drop(stored.index.intersection(fresh.index))
        rows = pd.concat([kept, fresh]).loc[order].reset_index()
    rows.to_csv(path, index=False)


def main() -> None:
    """Measure both, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20, help="of a set and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22])
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=NOISES)
    parser.add_argument("--split", default="test", help="clips: test, or train to tune")
    parser.add_argument("--methods", nargs="+", choices=[*OURS, THEIRS])
    parser.add_argument("--save", help="file to write, .csv; other rows of it stay")
    arguments = parser.parse_args()
    head = dl.load_head_model("template-75")
    methods = {name: ours(head, name) for name in OURS}
    versions = {name: f"deepsif-lite {commit()}" for name in methods}
    if find_spec("invert"):
        methods[THEIRS] = theirs(head)
        versions[THEIRS] = f"invertmeeg {metadata.version('invertmeeg')}"
    if arguments.methods:
        methods = {name: methods[name] for name in arguments.methods}
    rows: list[dict] = []
    of_seed = partial(
        measure, methods, arguments.noises, head, arguments.split, arguments.samples
    )
    for seed in arguments.seeds:
        total = len(arguments.noises) * len(methods) * len(SETS) * arguments.samples
        rows += tqdm(of_seed(seed), total=total, unit="image")
    table = summarize(pd.DataFrame(rows))
    table["version"] = table["method"].map(versions)
    kept = [a for a in sys.argv[1:] if a not in ("--save", arguments.save)]
    table["command"] = " ".join(["benchmarks/invertmeeg.py", *kept])
    print(table.drop(columns=["version", "command"]).round(3).to_string(index=False))
    if arguments.save:
        update(Path(arguments.save), table.round(4))


if __name__ == "__main__":
    main()
