"""Compiled engine: simulations side by side in SIMD lanes, groups of them in threads.

Every array ends in the simulations, so that one instruction advances the same region
in all simulations of a group. What travels along the links is the firing rate, not
the potential: it is computed once per region and step, kept in a ring buffer, and
read by each link at its own delay. Reading memory is what takes the time, so links
whose delay allows it are read for several steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

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


class _Constants(NamedTuple):
    """The model's constants as the loops use them, all of one float type (mV, ms)."""

    dt: float
    half_dt: float
    a: float
    a_squared: float
    a_twice: float
    b_squared: float
    b_twice: float
    inhibitory: float  # B b a4 J
    excitatory: float  # a2 J
    max_rate: float  # 2 nu_max
    slope: float  # r
    offset: float  # r v0
    slope_inhibitory: float  # r a3 J
    slope_excitatory: float  # r a1 J


class _Links(NamedTuple):
    """Links as compressed rows: those to node i are row[i] to row[i + 1]."""

    row: NDArray[np.int64]
    source: NDArray[np.int64]
    delay: NDArray[np.int64]  # steps
    weight: NDArray[np.floating]


class _Ring(NamedTuple):
    """Firing rates of the last steps.

    ``rate`` has shape (n_nodes, n_stored, LANES): ``n_slots`` steps, and the first few
    once more at the end, so that a block never wraps around.
    """

    rate: NDArray[np.floating]
    n_slots: int


class _Brains(NamedTuple):
    """What the loops read and write of ``LANES`` simulations; arrays end in these."""

    state: NDArray[np.floating]  # (n_nodes, 6, LANES)
    ring: _Ring
    random: NDArray[np.int32]  # (4, LANES), generators
    long_links: _Links  # may be read a block at once
    short_links: _Links  # may not
    gain: NDArray[np.floating]  # (n_nodes, LANES)
    mean_input: NDArray[np.floating]  # (1, LANES)
    noise: NDArray[np.floating]  # (1, LANES), deviation of a step's noise on y4


class _Group:
    """Up to ``LANES`` simulations, between two chunks."""

    def __init__(self, problem: Problem, sims: NDArray[np.int64], dtype: DTypeLike):
        self.sims, self.stride = sims, problem.stride
        self.constants = _constants(problem.dt, dtype)
        # Unused lanes repeat the last simulation.
        lanes = sims[np.minimum(np.arange(LANES), len(sims) - 1)]
        state, potential = _past(problem, lanes, dtype)
        self.newest = problem.horizon - 1
        self.brains = _Brains(
            state=state,
            ring=_ring(potential, self.constants),
            random=np.stack([_random_state(problem, sim) for sim in lanes], axis=-1),
            long_links=_links(problem, problem.delays >= BLOCK - 1, dtype),
            short_links=_links(problem, problem.delays < BLOCK - 1, dtype),
            gain=np.ascontiguousarray(problem.gain[lanes].T, dtype),
            mean_input=problem.mean_input[lanes][None].astype(dtype),
            noise=problem.noise_amplitude()[lanes][None].astype(dtype),
        )

    def advance(self, out: NDArray[np.floating]) -> None:
        """Fill ``out`` (n_sims, n_samples, n_nodes) for the group's simulations."""
        n_samples, n_nodes = out.shape[1:]
        buffer = np.empty((n_samples, n_nodes, LANES), out.dtype)
        self.newest = _integrate(
            self.brains, self.newest, self.constants, self.stride, buffer
        )
        out[self.sims] = np.moveaxis(buffer[..., : len(self.sims)], -1, 0)


def _past(
    problem: Problem, lanes: NDArray[np.int64], dtype: DTypeLike
) -> tuple[NDArray, NDArray]:
    """State (n_nodes, 6, LANES) and past potentials (horizon, n_nodes, LANES)."""
    state = np.empty((problem.n_nodes, len(STATE_NAMES), LANES), dtype)
    potential = np.empty((problem.horizon, problem.n_nodes, LANES), dtype)
    for lane, sim in enumerate(lanes):
        if lane == 0 or sim != lanes[lane - 1]:
            past = problem.history(sim)
        state[..., lane] = past[-1].T
        potential[..., lane] = past[:, 1] - past[:, 2]
    return state, potential


def _ring(potential: NDArray[np.floating], constants: _Constants) -> _Ring:
    """Turn past potentials into rates (horizon, n_nodes, LANES)."""
    horizon, n_nodes, _ = potential.shape
    n_slots = max(horizon, 2 * BLOCK)
    # An odd number, so that regions do not compete for the same lines of the cache.
    n_stored = (n_slots + BLOCK - 1) | 1
    ring = _Ring(np.zeros((n_nodes, n_stored, LANES), potential.dtype), n_slots)
    _fill_rates(potential, constants, ring)
    return ring


def _links(problem: Problem, chosen: NDArray[np.bool_], dtype: DTypeLike) -> _Links:
    links = csr_array(np.where(chosen, problem.connectome.weights, 0))
    target = np.repeat(np.arange(problem.n_nodes), np.diff(links.indptr))
    row, source = links.indptr.astype(np.int64), links.indices.astype(np.int64)
    delay = problem.delays[target, source]
    return _Links(row, source, delay, links.data.astype(dtype))


def _random_state(problem: Problem, sim: int) -> NDArray[np.int32]:
    """Four words that start the generator of one simulation."""
    return problem.noise_seed(sim).generate_state(4).view(np.int32)


def _constants(dt: float, dtype: DTypeLike) -> _Constants:
    a, b = MODEL.excitatory_rate, MODEL.inhibitory_rate
    exact = _Constants(
        dt=dt,
        half_dt=dt / 2,
        a=a,
        a_squared=a * a,
        a_twice=2 * a,
        b_squared=b * b,
        b_twice=2 * b,
        inhibitory=(
            MODEL.inhibitory_gain * b * MODEL.inhibitory_to_pyramidal * MODEL.contacts
        ),
        excitatory=MODEL.excitatory_to_pyramidal * MODEL.contacts,
        max_rate=2 * MODEL.max_rate,
        slope=MODEL.slope,
        offset=MODEL.slope * MODEL.threshold,
        slope_inhibitory=MODEL.slope * MODEL.contacts * MODEL.pyramidal_to_inhibitory,
        slope_excitatory=MODEL.slope * MODEL.contacts * MODEL.pyramidal_to_excitatory,
    )
    return _Constants(*np.array(exact, dtype))


def _kept(function: Callable) -> Callable:
    """Compile a function that is called from Python, and keep the result on disk.

    Where neither the package nor the user's cache can be written to, or their disk is
    full, it is compiled anew in each process.
    """
    try:
        compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no place for a cache
        return njit(nogil=True, error_model="numpy")(function)
    save = compiled._cache.save_overload

    def save_where_possible(*overload: object) -> None:
        with suppress(OSError):
            save(*overload)

    compiled._cache.save_overload = save_where_possible
    return compiled


@njit(error_model="numpy")
def _sigmoid(exponent, max_rate):
    return max_rate / (exp(exponent) + 1.0)


@njit(error_model="numpy")
def _firing_rate(potential, constants):
    exponent = constants.offset - potential * constants.slope
    return _sigmoid(exponent, constants.max_rate)


@njit(error_model="numpy")
def _store_rate(ring, node, slot, fired):
    store(ring.rate, (node, slot), fired)
    if slot < BLOCK - 1:
        store(ring.rate, (node, slot + ring.n_slots), fired)


@_kept
def _fill_rates(potential, constants, ring):
    for step in range(potential.shape[0]):
        for node in range(potential.shape[1]):
            fired = _firing_rate(load(potential, (step, node)), constants)
            _store_rate(ring, node, step, fired)


@njit(error_model="numpy")
def _delayed(ring, newest, delay):
    """Slot of the rate that arrives now after ``delay`` steps."""
    past = newest - delay
    return past if past >= 0 else past + ring.n_slots


@njit(error_model="numpy")
def _read_long_links(brains, newest, incoming):
    """Input of every region in the next ``BLOCK`` steps, as far as already known."""
    rate, links = brains.ring.rate, brains.long_links
    base = load(brains.mean_input, (0,))
    for node in range(incoming.shape[0]):
        # Eight variables, for an array of them would not stay in registers.
        c0, c1, c2, c3 = base, base, base, base
        c4, c5, c6, c7 = base, base, base, base
        for link in range(links.row[node], links.row[node + 1]):
            past = _delayed(brains.ring, newest, links.delay[link])
            j, w = links.source[link], links.weight[link]
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
def _add_short_links(brains, node, newest, incoming):
    """Complete the input of a region in the present step."""
    links = brains.short_links
    for link in range(links.row[node], links.row[node + 1]):
        past = _delayed(brains.ring, newest, links.delay[link])
        fired = load(brains.ring.rate, (links.source[link], past))
        incoming = incoming + fired * links.weight[link]
    return incoming


@njit(error_model="numpy")
def _derivatives(y, fired, incoming, drive, constants):
    """Right-hand sides of y3, y4, y5; ``fired`` is S(y1 - y2)."""
    c = constants
    to_excitatory = _sigmoid(c.offset - y[0] * c.slope_excitatory, c.max_rate)
    to_inhibitory = _sigmoid(c.offset - y[0] * c.slope_inhibitory, c.max_rate)
    return (
        drive * fired - y[3] * c.a_twice - y[0] * c.a_squared,
        drive * (incoming + to_excitatory * c.excitatory)
        - y[4] * c.a_twice
        - y[1] * c.a_squared,
        to_inhibitory * c.inhibitory - y[5] * c.b_twice - y[2] * c.b_squared,
    )


@njit(error_model="numpy")
def _heun_step(y, fired, incoming, drive, kick, constants):
    """State after one step; the coupling stays as it is within it."""
    y0, y1, y2, y3, y4, y5 = y
    dt, half = constants.dt, constants.half_dt
    d3, d4, d5 = _derivatives(y, fired, incoming, drive, constants)
    # Predictor: an Euler step.
    z0, z1, z2 = y0 + y3 * dt, y1 + y4 * dt, y2 + y5 * dt
    z3, z4, z5 = y3 + d3 * dt, y4 + d4 * dt + kick, y5 + d5 * dt
    fired = _firing_rate(z1 - z2, constants)
    z = (z0, z1, z2, z3, z4, z5)
    e3, e4, e5 = _derivatives(z, fired, incoming, drive, constants)
    return (
        y0 + (y3 + z3) * half,
        y1 + (y4 + z4) * half,
        y2 + (y5 + z5) * half,
        y3 + (d3 + e3) * half,
        y4 + (d4 + e4) * half + kick,
        y5 + (d5 + e5) * half,
    )


@njit(error_model="numpy")
def _advance_region(brains, node, newest, known, normal, constants):
    """Take a step of one region and return its y1 - y2."""
    state = brains.state
    incoming = _add_short_links(brains, node, newest, known)
    # The rate of the present state is already in the ring.
    fired = load(brains.ring.rate, (node, newest))
    drive = load(brains.gain, (node,)) * constants.a
    y = (
        load(state, (node, 0)),
        load(state, (node, 1)),
        load(state, (node, 2)),
        load(state, (node, 3)),
        load(state, (node, 4)),
        load(state, (node, 5)),
    )
    kick = convert(normal, drive) * load(brains.noise, (0,))
    y = _heun_step(y, fired, incoming, drive, kick, constants)
    for k in range(len(y)):
        store(state, (node, k), y[k])
    return y[1] - y[2]


@_kept
def _integrate(brains, newest, constants, stride, out):
    """Heun steps until ``out`` is full; return the ring's newest slot."""
    n_nodes, ring = brains.state.shape[0], brains.ring
    known = np.empty((n_nodes, BLOCK, LANES), ring.rate.dtype)
    normals = np.zeros((n_nodes + n_nodes % 2, LANES), np.float32)
    noisy = brains.noise.max() > 0
    for step in range(out.shape[0] * stride):
        ahead = step % BLOCK
        if ahead == 0:
            _read_long_links(brains, newest, known)
        if noisy:
            draw_normals(brains.random, normals)
        slot = newest + 1 if newest + 1 < ring.n_slots else 0
        sample = step // stride
        kept = sample * stride == step
        for node in range(n_nodes):
            incoming, normal = load(known, (node, ahead)), load(normals, (node,))
            psp = _advance_region(brains, node, newest, incoming, normal, constants)
            _store_rate(ring, node, slot, _firing_rate(psp, constants))
            if kept:
                store(out, (sample, node), psp)
        newest = slot
    return newest
