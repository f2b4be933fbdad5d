"""Networks on which every engine must equal The Virtual Brain, and by how much it does.

Run by ``make bench``, and for shorter times by the tests. Noise is off, the past is
drawn from the same seed, and all compute and store in float64, The Virtual Brain
included: as it comes it stores delayed states in float32, and a network of strong links
magnifies that rounding from spike to spike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

import deepsif_lite as dl
from deepsif_lite.errors import RecordingUnavailable

TOLERANCE = 1e-9  # mV; rounding, magnified from spike to spike, stays far below


def network(weights: Sequence, tract_lengths: Sequence, name: str) -> dl.Connectome:
    """Return a connectome of a few nodes; lengths in mm."""
    weights = np.asarray(weights, dtype=float)
    lengths = np.broadcast_to(np.asarray(tract_lengths, dtype=float), weights.shape)
    return dl.Connectome(name, weights, lengths, np.arange(len(weights)))


def random_network(n_nodes: int = 12, seed: int = 0) -> dl.Connectome:
    """Return a network in which node 3 hears nobody and node 4 is all alone."""
    rng = np.random.default_rng(seed)
    weights = rng.random((n_nodes, n_nodes)) * (rng.random((n_nodes, n_nodes)) < 0.4)
    weights[3] = 0.0
    weights[:, 4] = weights[4] = 0.0
    return network(weights, rng.uniform(0, 60, weights.shape), "random")


def edge_cases() -> dict[str, dl.Connectome]:
    """Return small networks that each strain one part of an engine, by name."""
    rng = np.random.default_rng(3)
    near_and_far = np.where(rng.random((6, 6)) < 0.5, 0, rng.uniform(100, 190, (6, 6)))
    return {
        "nodes without input": random_network(),
        "two nodes, 60 ms apart": network([[0, 12], [9, 0]], [[0, 180], [180, 0]], ""),
        "two nodes, 400 and 2 ms": network([[0, 9], [15, 0]], [[0, 1200], [6, 0]], ""),
        "links without delay": network([[0, 5], [4, 0]], 0, ""),
        "no delay or a long one": network(rng.random((6, 6)), near_and_far, ""),
        "no links at all": network(np.zeros((3, 3)), 0, ""),
    }


def whole_brain() -> dl.Connectome:
    """Return the published connectome, or the surrogate where it is out of reach."""
    try:
        return dl.load_connectome("published")
    except RecordingUnavailable:
        return dl.load_connectome("template")


def noiseless_run(brain: dl.Connectome, engine: str, seconds: float) -> np.ndarray:
    """Return y1 - y2 (mV), shape (1, n_steps, n_nodes); node 0 is raised to 3.6 mV."""
    gain = np.full(brain.n_nodes, 3.25)
    gain[0] = 3.6
    return dl.simulate(
        brain,
        gain=gain,
        noise_std=0,
        duration=seconds,
        dtype="float64",
        engine=engine,
        seed=0,
    )


def differences(seconds: float) -> pd.DataFrame:
    """Largest difference (mV) of each engine to The Virtual Brain in each network."""
    brain = whole_brain()
    cases = {**edge_cases(), f"{brain.name}, {brain.n_nodes} nodes": brain}
    rows = {}
    for name, case in cases.items():
        theirs = noiseless_run(case, "tvb", seconds)
        rows[name] = {
            engine: np.abs(noiseless_run(case, engine, seconds) - theirs).max()
            for engine in ("numba", "torch")
        }
    return pd.DataFrame(rows).T
