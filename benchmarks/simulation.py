"""Time the simulator and compare it with The Virtual Brain.

Run ``make bench``. Everything in the table comes from this one run: the time of a
step of one brain for each engine, its ratio to The Virtual Brain's, where our time
goes, and the largest difference of the two over ``--parity`` seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

import deepsif_lite as dl
from deepsif_lite.neural_mass.lanes import LANES
from deepsif_lite.recordings import RecordingUnavailable

DT = 0.5e-3  # s
REPEATS = 3
PAPER_STEPS = 994 * 3 * 400_000  # 994 regions, three inputs, 200 s each, at one gain


def load_brain() -> dl.Connectome:
    """Return the published connectome, or the surrogate where it is out of reach."""
    try:
        return dl.load_connectome("published")
    except RecordingUnavailable:
        return dl.load_connectome("template")


def seconds_per_step(
    brain: dl.Connectome, n_sims: int, n_steps: int, clock=time.perf_counter, **options
) -> float:
    """Shortest time (s) of a step of one brain, without start-up.

    Two lengths are timed, and their difference counts: drawing the random past and
    compiling belong to neither step.
    """
    gain = np.full((n_sims, brain.n_nodes), 3.25)

    def run(steps: int) -> float:
        start = clock()
        dl.simulate(brain, gain=gain, duration=steps * DT, stride=4, **options)
        return clock() - start

    run(8)
    times = [run(n_steps + 8) - run(8) for _ in range(REPEATS)]
    return min(times) / n_steps / n_sims


def speeds(brain: dl.Connectome, n_cores: int) -> pd.DataFrame:
    """Time of each engine and its ratio to The Virtual Brain's."""
    rows = {"tvb": seconds_per_step(brain, 1, 60, engine="tvb", dtype="float64")}
    for dtype in ("float32", "float64"):
        for cores in sorted({1, n_cores}):
            rows[f"numba, {dtype}, {cores} cores"] = seconds_per_step(
                brain, LANES * cores, 1600, dtype=dtype, n_jobs=cores
            )
    # On the CPU this engine is for tests; where there is a GPU, fill it.
    gpu = torch.cuda.is_available()
    name = f"torch, float32, {torch.cuda.get_device_name() if gpu else 'CPU'}"
    sizes = (4096, 2048) if gpu else (LANES, 256)
    rows[name] = seconds_per_step(brain, *sizes, engine="torch")
    table = pd.DataFrame({"microseconds a step": pd.Series(rows) * 1e6})
    table["ratio"] = table.iloc[0, 0] / table.iloc[:, 0]
    return table


def shares(brain: dl.Connectome) -> pd.DataFrame:
    """Where a step's time goes, by leaving parts out (one core, float32)."""
    unlinked = replace(brain, weights=0 * brain.weights)
    # Processor time: differences of wall times drown in what else the machine does.
    options = {
        "n_sims": LANES,
        "n_steps": 1600,
        "n_jobs": 1,
        "clock": time.process_time,
    }
    whole = seconds_per_step(brain, **options)
    quiet = seconds_per_step(brain, noise_std=0, **options)
    bare = seconds_per_step(unlinked, noise_std=0, **options)
    parts = {"links": quiet - bare, "noise": whole - quiet, "regions": bare}
    return pd.DataFrame({"microseconds a step": pd.Series(parts) * 1e6})


def parity(brain: dl.Connectome, seconds: float) -> float:
    """Largest difference (mV) to The Virtual Brain, noise off, same random past."""
    rng = np.random.default_rng(0)
    horizon = int(np.ceil(brain.tract_lengths.max() / 3.0 / (DT * 1e3))) + 1
    scale = np.array([1, 500, 50, 6, 20, 500])[:, None]
    past = scale * rng.uniform(-1, 1, (horizon, 6, brain.n_nodes))
    options = {
        "noise_std": 0,
        "duration": seconds,
        "initial": past,
        "dtype": "float64",
    }
    ours = dl.simulate(brain, **options)
    return float(np.abs(ours - dl.simulate(brain, engine="tvb", **options)).max())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parity", type=float, default=2.0, help="seconds, 0 = none")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    brain = load_brain()
    load = os.getloadavg()[0]
    print(f"{brain.name} connectome, {brain.n_nodes} nodes, load {load:.1f}\n")
    table = speeds(brain, arguments.cores)
    print(table.round(1).to_string(), "\n")
    fastest = table["microseconds a step"].min() * 1e-6
    hours = PAPER_STEPS * fastest / 3600
    print(
        f"the paper's library at the fastest of these: {hours:.1f} h (extrapolated)\n"
    )
    print(shares(brain).round(2).to_string(), "\n")
    if arguments.parity:
        worst = parity(brain, arguments.parity)
        print(f"largest difference to TVB over {arguments.parity} s: {worst:.1e} mV")


if __name__ == "__main__":
    main()
