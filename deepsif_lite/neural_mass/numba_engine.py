"""Compiled engine: simulations side by side in SIMD lanes, groups of them in threads.

Every array ends in the simulations, so that one instruction advances the same region
in all simulations of a group. What travels along the links is the firing rate, not
the potential: it is computed once per region and step, kept in a ring buffer, and
read by each link at its own delay. Reading memory is what takes the time, so links
whose delay allows it are read for several steps at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array

from .lane_math import draw_normals, exp
from .lanes import LANES, convert, load, store
from .model import MODEL, STATE_NAMES
from .problem import Problem

#: Steps that long links are read for at once.
BLOCK = 8


def run(
    problem: Problem, dtype: DTypeLike, chunk_samples: int, n_jobs: int
) -> Iterator[NDArray[np.floating]]:
    """Integrate and yield y1 - y2, shape (n_sims, up to chunk_samples, n_nodes), mV."""
    groups = [
        _Group(problem, np.arange(first, min(first + LANES, problem.n_sims)), dtype)
        for first in range(0, problem.n_sims, LANES)
    ]
    n_samples = problem.n_steps // problem.stride
    with ThreadPoolExecutor(max(1, min(n_jobs, len(groups)))) as pool:
        for start in range(0, n_samples, chunk_samples):
            count = min(chunk_samples, n_samples - start)
            out = np.empty((problem.n_sims, count, problem.n_nodes), dtype)
            list(pool.map(lambda group, out=out: group.advance(out), groups))
            yield out


class _Group:
    """State of up to ``LANES`` simulations between two chunks."""

    def __init__(self, problem: Problem, sims: NDArray[np.int64], dtype: DTypeLike):
        self.sims, self.stride = sims, problem.stride
        # Unused lanes repeat the last simulation.
        lanes = sims[np.minimum(np.arange(LANES), len(sims) - 1)]
        self.long, self.short = _links(problem, dtype)

        self.state = np.empty((problem.n_nodes, len(STATE_NAMES), LANES), dtype)
        potential = np.empty((problem.horizon, problem.n_nodes, LANES), dtype)
        for lane in range(LANES):
            if lane < len(sims):
                past = problem.history(sims[lane])
            self.state[..., lane] = past[-1].T
            potential[..., lane] = past[:, 1] - past[:, 2]
        self.constants = _constants(problem.dt).astype(dtype)
        # The first slots once more at the end, so that a block never wraps around; an
        # odd number, so that regions do not compete for the same lines of the cache.
        self.n_slots = max(problem.horizon, 2 * BLOCK)
        n_stored = (self.n_slots + BLOCK - 1) | 1
        self.rate = np.zeros((problem.n_nodes, n_stored, LANES), dtype)
        _fill_rates(potential, self.constants, self.rate, self.n_slots)
        self.newest = problem.horizon - 1

        self.gain = np.ascontiguousarray(problem.gain[lanes].T, dtype)
        self.mean_input = problem.mean_input[lanes][None].astype(dtype)
        self.noise = problem.noise_amplitude()[lanes][None].astype(dtype)
        self.random = np.stack([_random_state(problem, sim) for sim in lanes], axis=-1)

    def advance(self, out: NDArray[np.floating]) -> None:
        """Fill ``out`` (n_sims, n_samples, n_nodes) for the group's simulations."""
        n_samples, n_nodes = out.shape[1:]
        buffer = np.empty((n_samples, n_nodes, LANES), out.dtype)
        self.newest = _integrate(
            self.state,
            self.rate,
            self.n_slots,
            self.newest,
            self.random,
            *self.long,
            *self.short,
            self.gain,
            self.mean_input,
            self.noise,
            self.constants,
            self.stride,
            buffer,
        )
        out[self.sims] = np.moveaxis(buffer[..., : len(self.sims)], -1, 0)


def _links(problem: Problem, dtype: DTypeLike) -> tuple[tuple, tuple]:
    """Links that may and may not be read a block at once, as compressed rows.

    Each a tuple (row starts, sources, delays, weights).
    """
    parts = []
    for chosen in (problem.delays >= BLOCK - 1, problem.delays < BLOCK - 1):
        links = csr_array(np.where(chosen, problem.connectome.weights, 0))
        target = np.repeat(np.arange(problem.n_nodes), np.diff(links.indptr))
        delay = problem.delays[target, links.indices]
        row, source = links.indptr.astype(np.int64), links.indices.astype(np.int64)
        parts.append((row, source, delay, links.data.astype(dtype)))
    return parts[0], parts[1]


def _random_state(problem: Problem, sim: int) -> NDArray[np.int32]:
    """Four words that start the generator of one simulation."""
    seed = problem.seeds[sim]
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1))
    return child.generate_state(4).view(np.int32)


def _constants(dt: float) -> NDArray[np.float64]:
    a, b = MODEL.excitatory_rate, MODEL.inhibitory_rate
    return np.array(
        [
            dt,
            a,
            a * a,
            2 * a,
            b * b,
            2 * b,
            MODEL.inhibitory_gain * b * MODEL.inhibitory_to_pyramidal * MODEL.contacts,
            MODEL.excitatory_to_pyramidal * MODEL.contacts,
            2 * MODEL.max_rate,
            MODEL.slope,
            MODEL.slope * MODEL.threshold,
            MODEL.slope * MODEL.contacts * MODEL.pyramidal_to_inhibitory,
            MODEL.slope * MODEL.contacts * MODEL.pyramidal_to_excitatory,
            1.0,
            0.5,
        ]
    )


@njit(error_model="numpy")
def _firing_rate(potential, constants):
    max_rate, slope, offset = constants[8], constants[9], constants[10]
    return max_rate / (exp(offset - potential * slope) + constants[13])


@njit(error_model="numpy")
def _store_rate(rate, node, slot, n_slots, fired):
    store(rate, (node, slot), fired)
    if slot < BLOCK - 1:
        store(rate, (node, slot + n_slots), fired)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_rates(potential, constants, rate, n_slots):
    for step in range(potential.shape[0]):
        for node in range(potential.shape[1]):
            fired = _firing_rate(load(potential, (step, node)), constants)
            _store_rate(rate, node, step, n_slots, fired)


@njit(error_model="numpy")
def _read_long_links(rate, n_slots, newest, links, mean_input, incoming):
    """Input of every region in the next ``BLOCK`` steps, as far as already known."""
    row, source, delay, weight = links
    base = load(mean_input, (0,))
    for node in range(incoming.shape[0]):
        c0, c1, c2, c3 = base, base, base, base
        c4, c5, c6, c7 = base, base, base, base
        for link in range(row[node], row[node + 1]):
            past = newest - delay[link]
            if past < 0:
                past += n_slots
            j, w = source[link], weight[link]
            c0 = c0 + load(rate, (j, past)) * w
            c1 = c1 + load(rate, (j, past + 1)) * w
            c2 = c2 + load(rate, (j, past + 2)) * w
            c3 = c3 + load(rate, (j, past + 3)) * w
            c4 = c4 + load(rate, (j, past + 4)) * w
            c5 = c5 + load(rate, (j, past + 5)) * w
            c6 = c6 + load(rate, (j, past + 6)) * w
            c7 = c7 + load(rate, (j, past + 7)) * w
        store(incoming, (node, 0), c0)
        store(incoming, (node, 1), c1)
        store(incoming, (node, 2), c2)
        store(incoming, (node, 3), c3)
        store(incoming, (node, 4), c4)
        store(incoming, (node, 5), c5)
        store(incoming, (node, 6), c6)
        store(incoming, (node, 7), c7)


@njit(error_model="numpy")
def _derivatives(y, fired, incoming, drive, constants):
    """Right-hand sides of y3, y4, y5; ``fired`` is S(y1 - y2)."""
    a_squared, a_twice, b_squared, b_twice = constants[2:6]
    inhibitory, excitatory, max_rate = constants[6], constants[7], constants[8]
    offset, slope_inhibitory, slope_excitatory = constants[10:13]
    one = constants[13]
    to_excitatory = max_rate / (exp(offset - y[0] * slope_excitatory) + one)
    to_inhibitory = max_rate / (exp(offset - y[0] * slope_inhibitory) + one)
    return (
        drive * fired - y[3] * a_twice - y[0] * a_squared,
        drive * (incoming + to_excitatory * excitatory)
        - y[4] * a_twice
        - y[1] * a_squared,
        to_inhibitory * inhibitory - y[5] * b_twice - y[2] * b_squared,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _integrate(
    state,
    rate,
    n_slots,
    newest,
    random,
    long_row,
    long_source,
    long_delay,
    long_weight,
    row,
    source,
    delay,
    weight,
    gain,
    mean_input,
    noise,
    constants,
    stride,
    out,
):
    """Heun steps until ``out`` is full; return the ring's newest slot."""
    dt, half, a = constants[0], constants[0] * constants[14], constants[1]
    n_nodes, n_steps = state.shape[0], out.shape[0] * stride
    long_links = (long_row, long_source, long_delay, long_weight)
    known = np.empty((n_nodes, BLOCK, LANES), rate.dtype)
    normals = np.zeros((n_nodes + n_nodes % 2, LANES), np.float32)
    noisy = noise.max() > 0
    for step in range(n_steps):
        ahead = step % BLOCK
        if ahead == 0:
            _read_long_links(rate, n_slots, newest, long_links, mean_input, known)
        if noisy:
            draw_normals(random, normals)
        slot = newest + 1 if newest + 1 < n_slots else 0
        sample = step // stride
        kept = sample * stride == step
        for node in range(n_nodes):
            incoming = load(known, (node, ahead))
            for link in range(row[node], row[node + 1]):
                past = newest - delay[link]
                if past < 0:
                    past += n_slots
                incoming = incoming + load(rate, (source[link], past)) * weight[link]

            y0, y1, y2 = (
                load(state, (node, 0)),
                load(state, (node, 1)),
                load(state, (node, 2)),
            )
            y3, y4, y5 = (
                load(state, (node, 3)),
                load(state, (node, 4)),
                load(state, (node, 5)),
            )
            drive = load(gain, (node,)) * a
            kick = convert(load(normals, (node,)), y4) * load(noise, (0,))

            # The rate of the present state is already in the ring.
            fired = load(rate, (node, newest))
            d3, d4, d5 = _derivatives(
                (y0, y1, y2, y3, y4, y5), fired, incoming, drive, constants
            )
            # Predictor: an Euler step. The coupling stays as it is within a step.
            z0, z1, z2 = y0 + y3 * dt, y1 + y4 * dt, y2 + y5 * dt
            z3, z4, z5 = y3 + d3 * dt, y4 + d4 * dt + kick, y5 + d5 * dt
            fired = _firing_rate(z1 - z2, constants)
            e3, e4, e5 = _derivatives(
                (z0, z1, z2, z3, z4, z5), fired, incoming, drive, constants
            )
            y0 = y0 + (y3 + z3) * half
            y1 = y1 + (y4 + z4) * half
            y2 = y2 + (y5 + z5) * half
            store(state, (node, 0), y0)
            store(state, (node, 1), y1)
            store(state, (node, 2), y2)
            store(state, (node, 3), y3 + (d3 + e3) * half)
            store(state, (node, 4), y4 + (d4 + e4) * half + kick)
            store(state, (node, 5), y5 + (d5 + e5) * half)
            psp = y1 - y2
            _store_rate(rate, node, slot, n_slots, _firing_rate(psp, constants))
            if kept:
                store(out, (sample, node), psp)
        newest = slot
    return newest
