"""The simulator once more, in plain loops: what the SIMD type of the engine gains.

The same ring of firing rates and the same arithmetic, with the simulations innermost in
memory, in loops that LLVM may reorder and vectorize as it likes (``fastmath``), with
NumPy's exponential and normal deviates. ``benchmarks/simulation.py`` times it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

import deepsif_lite as dl
from deepsif_lite.neural_mass import numba_engine
from deepsif_lite.neural_mass.lanes import LANES
from deepsif_lite.neural_mass.problem import make_problem


def group(brain: dl.Connectome, noise_std: float) -> numba_engine._Group:
    """Return the arrays of the engine for ``LANES`` brains, float32."""
    problem = make_problem(
        brain, 3.25, 0.087, [noise_std] * LANES, 1.0, 0.5e-3, 1, 0, None
    )
    return numba_engine._Group(problem, np.arange(LANES), np.float32)


@njit(fastmath=True, inline="always")
def sigmoid(exponent, max_rate):
    """Return the firing rate, 1/ms."""
    return max_rate / (np.exp(exponent) + np.float32(1))


@njit(fastmath=True)
def derivatives(y, fired, incoming, drive, c):
    """Right-hand sides of y3, y4, y5."""
    to_excitatory = sigmoid(c.offset - y[0] * c.slope_excitatory, c.max_rate)
    to_inhibitory = sigmoid(c.offset - y[0] * c.slope_inhibitory, c.max_rate)
    return (
        drive * fired - y[3] * c.a_twice - y[0] * c.a_squared,
        drive * (incoming + to_excitatory * c.excitatory)
        - y[4] * c.a_twice
        - y[1] * c.a_squared,
        to_inhibitory * c.inhibitory - y[5] * c.b_twice - y[2] * c.b_squared,
    )


@njit(fastmath=True)
def heun_step(y, fired, incoming, drive, kick, c):
    """State after one step."""
    y0, y1, y2, y3, y4, y5 = y
    d3, d4, d5 = derivatives(y, fired, incoming, drive, c)
    z0, z1, z2 = y0 + y3 * c.dt, y1 + y4 * c.dt, y2 + y5 * c.dt
    z3, z4, z5 = y3 + d3 * c.dt, y4 + d4 * c.dt + kick, y5 + d5 * c.dt
    fired = sigmoid(c.offset - (z1 - z2) * c.slope, c.max_rate)
    e3, e4, e5 = derivatives((z0, z1, z2, z3, z4, z5), fired, incoming, drive, c)
    half = c.half_dt
    return (
        y0 + (y3 + z3) * half,
        y1 + (y4 + z4) * half,
        y2 + (y5 + z5) * half,
        y3 + (d3 + e3) * half,
        y4 + (d4 + e4) * half + kick,
        y5 + (d5 + e5) * half,
    )


@njit(fastmath=True)
def add_links(links, rate, n_slots, node, newest, incoming):
    """Add what arrives through links at a region now, in all lanes."""
    for link in range(links.row[node], links.row[node + 1]):
        past = newest - links.delay[link]
        if past < 0:
            past += n_slots
        source, weight = links.source[link], links.weight[link]
        for lane in range(LANES):
            incoming[lane] += rate[source, past, lane] * weight


@njit(fastmath=True)
def integrate(n_steps, brains, newest, c, psp):
    """Heun steps; the last y1 - y2 goes to ``psp`` (n_nodes, LANES)."""
    state, rate, n_slots = brains.state, brains.ring.rate, brains.ring.n_slots
    incoming = np.empty(LANES, np.float32)
    noisy = brains.noise.max() > 0
    kick = np.zeros(LANES, np.float32)
    for _ in range(n_steps):
        slot = newest + 1 if newest + 1 < n_slots else 0
        for node in range(state.shape[0]):
            incoming[:] = brains.mean_input[0]
            add_links(brains.long_links, rate, n_slots, node, newest, incoming)
            add_links(brains.short_links, rate, n_slots, node, newest, incoming)
            if noisy:
                for lane in range(LANES):
                    normal = np.float32(np.random.standard_normal())  # noqa: NPY002
                    kick[lane] = normal * brains.noise[0, lane]
            for lane in range(LANES):
                y = (
                    state[node, 0, lane],
                    state[node, 1, lane],
                    state[node, 2, lane],
                    state[node, 3, lane],
                    state[node, 4, lane],
                    state[node, 5, lane],
                )
                fired = rate[node, newest, lane]
                drive = brains.gain[node, lane] * c.a
                y = heun_step(y, fired, incoming[lane], drive, kick[lane], c)
                for k in range(6):
                    state[node, k, lane] = y[k]
                psp[node, lane] = y[1] - y[2]
                exponent = c.offset - psp[node, lane] * c.slope
                rate[node, slot, lane] = sigmoid(exponent, c.max_rate)
        newest = slot
    return newest
