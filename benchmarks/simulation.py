"""Time the simulator and compare it with The Virtual Brain.

Run ``make bench``. Everything in the tables comes from this one run: the time of a
step of one brain for each engine, its ratio to The Virtual Brain's, how long the
paper's library would take, where our time goes, and the largest difference to The
Virtual Brain over ``--parity`` seconds in the networks of ``simulation_parity.py``.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import simulation_loops
import torch
from numba import njit
from simulation_parity import differences, whole_brain

import deepsif_lite as dl
from deepsif_lite.neural_mass import numba_engine
from deepsif_lite.neural_mass.lane_math import draw_normals
from deepsif_lite.neural_mass.lanes import LANES, load, store

DT = 0.5e-3  # s
REPEATS = 3
PAPER_STEPS = 994 * 3 * 400_000  # 994 regions, three inputs, 200 s each, at one gain
SIGMOIDS = 6  # of a region and step: three at either end of a Heun step


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
    # Float32 is The Virtual Brain as it comes.
    rows = {"tvb": seconds_per_step(brain, 1, 60, engine="tvb", dtype="float32")}
    for dtype in ("float32", "float64"):
        for cores in sorted({1, n_cores}):
            rows[f"numba, {dtype}, {cores} cores"] = seconds_per_step(
                brain, LANES * cores, 1600, dtype=dtype, n_jobs=cores
            )
    brains = simulation_loops.group(brain, noise_std=1.0)
    psp = np.empty((brain.n_nodes, LANES), np.float32)
    arrays = (brains.brains, brains.newest, brains.constants, psp)
    rows["plain loops, float32, 1 cores"] = loop_time(
        simulation_loops.integrate, *arrays, n_steps=400
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
    """Where a step's time goes (one core, float32).

    Links are found by leaving them out; deviates, sigmoids and the traffic of the
    state by doing nothing else, in loops of the engine's own functions. A processor
    does several of these at a time, so what is left for the arithmetic is a lower
    bound of it.
    """
    unlinked = replace(brain, weights=0 * brain.weights)
    # Processor time: differences of wall times drown in what else the machine does.
    options = {
        "n_sims": LANES,
        "n_steps": 1600,
        "n_jobs": 1,
        "clock": time.process_time,
    }
    whole = seconds_per_step(brain, **options)
    links = whole - seconds_per_step(unlinked, **options)
    n_nodes, constants = brain.n_nodes, numba_engine._constants(DT * 1e3, np.float32)
    state = np.zeros((n_nodes, SIGMOIDS, LANES), np.float32)
    random = np.random.default_rng(0).integers(2**31, size=(4, LANES), dtype=np.int32)
    normals = np.empty((n_nodes + n_nodes % 2, LANES), np.float32)
    few = state[:16]  # they stay in the nearest cache, so the loop waits for no memory
    parts = {
        f"read {np.count_nonzero(brain.weights):,} links": links,
        f"draw {n_nodes} normal deviates": loop_time(draws, random, normals),
        f"{SIGMOIDS * n_nodes:,} exponentials and their divisions": (
            loop_time(rates, few, constants) * n_nodes / len(few)
        ),
        "move the state through memory": loop_time(copies, state, constants),
    }
    parts["arithmetic and the rest"] = whole - sum(parts.values())
    parts["all"] = whole
    table = pd.DataFrame({"microseconds a step": pd.Series(parts) * 1e6})
    table["share (%)"] = 100 * table.iloc[:, 0] / table.iloc[-1, 0]
    return table


@njit(error_model="numpy")
def draws(n_steps, random, normals):
    """As many normal deviates as a step needs."""
    for _ in range(n_steps):
        draw_normals(random, normals)


@njit(error_model="numpy")
def rates(n_steps, state, constants):
    """As many firing rates as a step computes."""
    for _ in range(n_steps):
        for node in range(state.shape[0]):
            for k in range(SIGMOIDS):
                fired = numba_engine._firing_rate(load(state, (node, k)), constants)
                store(state, (node, k), fired)


@njit(error_model="numpy")
def copies(n_steps, state, constants):
    """Read and write the six state variables of every region."""
    for _ in range(n_steps):
        for node in range(state.shape[0]):
            for k in range(SIGMOIDS):
                store(state, (node, k), load(state, (node, k)) * constants.a)


def loop_time(loop, *arrays, n_steps: int = 20_000) -> float:
    """Shortest processor time (s) of a loop's step, for one brain."""
    loop(1, *arrays)
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        loop(n_steps, *arrays)
        times.append(time.process_time() - start)
    return min(times) / n_steps / LANES


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parity", type=float, default=2.0, help="seconds, 0 = none")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    brain = whole_brain()
    print(f"{brain.name} connectome, {brain.n_nodes} nodes, ", end="")
    print(f"load of the machine {os.getloadavg()[0]:.1f}\n")
    table = speeds(brain, arguments.cores)
    print(table.round(1).to_string(), "\n")
    fastest = table["microseconds a step"].min() * 1e-6
    hours = PAPER_STEPS * fastest / 3600
    print("the paper's library, 994 regions x 3 inputs x 200 s, extrapolated from the ")
    print(f"fastest of these: {hours:.1f} h at one gain, {3 * hours:.1f} h at three\n")
    print(shares(brain).round(2).to_string(), "\n")
    if arguments.parity:
        table = differences(arguments.parity)
        print(f"largest difference to TVB over {arguments.parity} s, mV")
        print(table.map("{:.1e}".format).to_string())


if __name__ == "__main__":
    main()
