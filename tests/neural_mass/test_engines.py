"""The simulator against The Virtual Brain, and its promises about seeds and shapes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from simulation_parity import TOLERANCE, edge_cases, noiseless_run, random_network

from deepsif_lite import neural_mass
from deepsif_lite.neural_mass import (
    Connectome,
    load_connectome,
    simulate,
    simulate_chunks,
    torch_engine,
)
from deepsif_lite.neural_mass.model import INITIAL_RANGES, MODEL
from deepsif_lite.neural_mass.problem import make_problem

CONNECTIVITY = "deepsif/anatomy/connectivity_998.zip"


def make_connectome(weights, tract_lengths):
    weights = np.asarray(weights, dtype=float)
    lengths = np.asarray(tract_lengths, dtype=float)
    return Connectome("test", weights, lengths, np.arange(len(weights)))


def random_history(connectome, dt=0.5, seed=1):
    longest = connectome.tract_lengths.max() / MODEL.conduction_speed / dt
    low, high = np.array(INITIAL_RANGES).T[:, None, :, None]
    shape = (round(longest) + 2, len(INITIAL_RANGES), connectome.n_nodes)
    return np.random.default_rng(seed).uniform(low, high, shape)


UNCACHED = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []
import numpy as np
from deepsif_lite.neural_mass import Connectome, simulate
links = np.array([[0, 0.4], [0.7, 0]])
brain = Connectome("test", links, 30 * links, np.arange(2))
print(simulate(brain, duration=0.1, seed=3).tobytes().hex())
"""


def test_it_runs_where_nothing_compiled_can_be_kept():
    """As with a read-only package, and no cache folder to write to."""
    links = np.array([[0, 0.4], [0.7, 0]])
    brain = make_connectome(links, 30 * links)
    root = Path(neural_mass.__file__).parents[2]
    found = subprocess.check_output([sys.executable, "-c", UNCACHED], cwd=root)
    assert (
        found.decode().strip() == simulate(brain, duration=0.1, seed=3).tobytes().hex()
    )


@cache
def noiseless_tvb(case, seconds):
    pytest.importorskip("tvb.simulator", reason="needs the extra 'tvb'")
    brain = load_connectome("published") if case == "published" else edge_cases()[case]
    return brain, noiseless_run(brain, "tvb", seconds)


def wild_history(connectome, kind):
    """Starts far from rest, and those with all potentials about threshold."""
    if kind == "about threshold":
        past = np.random.default_rng(2).random(random_history(connectome).shape)
        return past * np.array([0.1, 8, 0, 0.01, 0.1, 0.1])[:, None]
    return random_history(connectome) * {"state ranges": 1, "five times these": 5}[kind]


@pytest.mark.parametrize(
    "kind", ["state ranges", "five times these", "about threshold"]
)
@pytest.mark.parametrize("n_nodes", [12, 100])
def test_float64_equals_tvb_from_wild_starts(kind, n_nodes):
    pytest.importorskip("tvb.simulator", reason="needs the extra 'tvb'")
    connectome = random_network(n_nodes, seed=5)
    options = {
        "gain": np.linspace(3.25, 3.6, n_nodes),
        "noise_std": 0,
        "duration": 0.5,
        "initial": wild_history(connectome, kind),
        "dtype": "float64",
    }
    ours, theirs = (
        simulate(connectome, engine=engine, **options) for engine in ("numba", "tvb")
    )
    # Rounding relative to the largest potential, magnified by the network.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def assert_equals_tvb(case, engine, seconds):
    brain, theirs = noiseless_tvb(case, seconds)
    assert np.ptp(theirs) > 5  # something happened
    ours = noiseless_run(brain, engine, seconds)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", edge_cases())
@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_float64_equals_tvb(case, engine):
    assert_equals_tvb(case, engine, seconds=1.0)


# TVB needs the better part of a minute for two seconds of the whole brain.
@pytest.mark.published(CONNECTIVITY)
@pytest.mark.parametrize("seconds", [0.1, pytest.param(2.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_published_connectome_equals_tvb(engine, seconds):
    assert_equals_tvb("published", engine, seconds)


def heun_in_plain_numpy(connectome, gain, initial, n_steps, dt=0.5):
    """The equations once more, written for reading rather than for speed."""
    m = MODEL

    def rate(v):
        return 2 * m.max_rate / (1 + np.exp(m.slope * (m.threshold - v)))

    def slope(y, coupling):
        a, b, contacts = m.excitatory_rate, m.inhibitory_rate, m.contacts
        to_excitatory = 0.8 * contacts * rate(contacts * y[0])
        to_inhibitory = 0.25 * contacts * rate(0.25 * contacts * y[0])
        return np.array(
            [
                y[3],
                y[4],
                y[5],
                gain * a * rate(y[1] - y[2]) - 2 * a * y[3] - a**2 * y[0],
                gain * a * (0.087 + to_excitatory + coupling)
                - 2 * a * y[4]
                - a**2 * y[1],
                22.0 * b * to_inhibitory - 2 * b * y[5] - b**2 * y[2],
            ]
        )

    delays = np.rint(connectome.tract_lengths / 3.0 / dt).astype(int)
    states = list(initial)
    source = np.arange(connectome.n_nodes)
    for _ in range(n_steps):
        past = np.array([y[1] - y[2] for y in states])
        delayed = past[len(states) - 1 - delays, source[None, :]]
        with np.errstate(over="ignore"):
            coupling = (connectome.weights * rate(delayed)).sum(axis=1)
            first = slope(states[-1], coupling)
            second = slope(states[-1] + dt * first, coupling)
        states.append(states[-1] + dt / 2 * (first + second))
    return np.array([y[1] - y[2] for y in states[len(initial) :]])


@pytest.mark.parametrize(
    "kind", ["state ranges", "five times these", "about threshold"]
)
def test_float64_equals_plain_numpy(kind):
    connectome = random_network()
    gain = np.linspace(3.25, 3.6, connectome.n_nodes)
    initial = wild_history(connectome, kind)
    ours = simulate(
        connectome, gain, noise_std=0, duration=0.5, initial=initial, dtype="float64"
    )
    theirs = heun_in_plain_numpy(connectome, gain, initial, 1000)
    np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=1e-10)


def test_torch_engine_equals_numba_without_noise():
    connectome = random_network()
    gain = np.linspace(3.25, 3.6, 3)[:, None] * np.ones(connectome.n_nodes)
    runs = [
        simulate(
            connectome,
            gain,
            noise_std=0,
            duration=0.5,
            initial=random_history(connectome),
            dtype="float64",
            engine=engine,
        )
        for engine in ("numba", "torch")
    ]
    np.testing.assert_allclose(runs[1], runs[0], rtol=0, atol=1e-9)


def test_torch_engine_chunks_strides_and_noise():
    connectome = random_network(24, seed=5)
    gain = np.full((3, 24), 3.25)
    options = {"gain": gain, "seed": 1, "engine": "torch"}
    whole = simulate(connectome, duration=0.31, **options)
    assert whole.shape == (3, 620, 24)
    np.testing.assert_array_equal(
        simulate(connectome, duration=0.31, stride=3, **options), whole[:, :618:3]
    )
    chunks = list(simulate_chunks(connectome, duration=0.31, chunk=0.07, **options))
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), whole)
    options["gain"] = gain[:2]
    alone = simulate(connectome, duration=0.31, **options)
    np.testing.assert_allclose(alone, whole[:2], rtol=1e-3, atol=0.02)

    runs = [
        simulate(
            connectome,
            gain=np.full((8, 24), 3.25),
            duration=2.0,
            stride=4,
            seed=2,
            engine=engine,
        )[:, 250:]
        for engine in ("numba", "torch")
    ]
    assert runs[0].mean() == pytest.approx(runs[1].mean(), rel=0.05)
    deviations = [run.std(axis=1).mean() for run in runs]
    assert deviations[0] == pytest.approx(deviations[1], rel=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_replayed_cuda_graph_equals_running_the_strip():
    """Three strips replayed on the GPU, and the same function called on the CPU."""
    connectome = random_network(24, seed=5)
    problem = make_problem(
        connectome, np.full((5, 24), 3.5), 0.087, 0.0, 1.0, 0.5e-3, 1, 3, None
    )
    runs = {}
    for name in ("cpu", "cuda"):
        brains = torch_engine._Brains(problem, torch.float64, torch.device(name))
        runs[name] = torch.cat([brains.advance().cpu().clone() for _ in range(3)])
    assert brains.graph is not None
    torch.testing.assert_close(runs["cuda"], runs["cpu"], rtol=0, atol=1e-9)


def test_float32_stays_close_to_float64():
    connectome = random_network()
    runs = [
        simulate(connectome, gain=3.6, duration=1.0, seed=3, dtype=dtype)
        for dtype in ("float32", "float64")
    ]
    assert runs[0].dtype == np.float32
    # The same noise drives both; 0.2 s of transient start at thousands of mV.
    np.testing.assert_allclose(runs[0][:, 400:], runs[1][:, 400:], atol=0.02)


def test_noise_has_the_stated_strength():
    """Without delays in play, y4 gains 0.0195 * std * sqrt(dt) in the first step."""
    n_nodes, noise_std = 4000, 1.7
    unconnected = make_connectome(
        np.zeros((n_nodes, n_nodes), dtype=np.float32), np.zeros((n_nodes, n_nodes))
    )
    start = np.zeros((6, n_nodes))
    noisy, quiet = (
        simulate(
            unconnected, noise_std=std, duration=1e-3, initial=start, dtype="float64"
        )[0, 0]
        for std in (noise_std, 0.0)
    )
    # Heun: y1 takes dt/2 * (y4 + y4 + kick).
    kicks = (noisy - quiet) / 0.25
    expected = 0.0195 * noise_std * np.sqrt(0.5)
    assert kicks.std() == pytest.approx(expected, rel=0.03)
    assert abs(kicks.mean()) < 4 * expected / np.sqrt(n_nodes)
    # Normal, not merely of the right deviation: the fourth moment is 3.
    assert np.mean((kicks / kicks.std()) ** 4) == pytest.approx(3, rel=0.1)
    assert abs(np.corrcoef(kicks[::2], kicks[1::2])[0, 1]) < 0.08


def test_statistics_equal_tvbs_own_noise():
    """Different random streams, the same background: mean and deviation."""
    pytest.importorskip("tvb.simulator", reason="needs the extra 'tvb'")
    connectome = random_network(24, seed=5)
    runs = [
        simulate(connectome, duration=8.0, stride=4, seed=seed, engine=engine)[:, 250:]
        for engine, seed in (("numba", 1), ("tvb", 2))
    ]
    mean, deviation = zip(
        *((run.mean(), run.std(axis=1).mean()) for run in runs), strict=True
    )
    assert mean[0] == pytest.approx(mean[1], rel=0.05)
    assert deviation[0] == pytest.approx(deviation[1], rel=0.05)


def test_same_seed_same_bits_whatever_the_batch():
    connectome = random_network()
    gain = np.linspace(3.25, 3.6, 20)[:, None] * np.ones(connectome.n_nodes)
    together = simulate(connectome, gain=gain, duration=0.2, seed=7, n_jobs=2)
    one_thread = simulate(connectome, gain=gain, duration=0.2, seed=7, n_jobs=1)
    np.testing.assert_array_equal(together, one_thread)
    first = simulate(connectome, gain=gain[:3], duration=0.2, seed=7)
    np.testing.assert_array_equal(together[:3], first)
    seeds = [np.random.SeedSequence(7, spawn_key=(k,)) for k in (18, 5)]
    picked = simulate(connectome, gain=gain[[18, 5]], duration=0.2, seed=seeds)
    np.testing.assert_array_equal(together[[18, 5]], picked)
    assert not np.array_equal(
        together[0], simulate(connectome, duration=0.2, seed=8)[0]
    )


def test_chunks_and_stride_are_slices_of_one_run():
    connectome = random_network()
    whole = simulate(connectome, duration=0.3, seed=1)
    np.testing.assert_array_equal(
        simulate(connectome, duration=0.3, stride=4, seed=1), whole[:, ::4]
    )
    chunks = list(simulate_chunks(connectome, duration=0.3, chunk=0.07, seed=1))
    assert [chunk.shape[1] for chunk in chunks] == [140, 140, 140, 140, 40]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), whole)


def test_history_may_be_one_state_or_longer_than_needed():
    connectome = random_network()
    state = np.random.default_rng(0).uniform(-1, 1, (6, connectome.n_nodes))
    repeated = np.broadcast_to(state, (200, *state.shape))
    one, many = (
        simulate(connectome, duration=0.1, initial=initial, seed=0)
        for initial in (state, repeated)
    )
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"gain": np.ones(5)}, r"gain has shape \(5,\)"),
        ({"gain": np.nan}, "gain holds NaN"),
        ({"noise_std": -1.0}, "noise_std"),
        ({"dt": 0.0}, "dt=0.0 must"),
        ({"duration": -1.0}, "duration=-1.0 must"),
        ({"duration": 1e-3, "stride": 10}, "nothing would be returned"),
        ({"duration": np.inf}, "duration=inf must"),
        ({"stride": 0}, "stride"),
        ({"initial": np.zeros((2, 6, 12))}, "horizon >= "),
        ({"gain": np.full((3, 12), 3.25), "mean_input": [0.1, 0.2]}, "do not match"),
        ({"engine": "fortran"}, "engine='fortran' is unknown"),
        ({"dtype": "int32"}, "dtype='int32' is unknown"),
    ],
)
def test_bad_arguments_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        simulate(random_network(), **{"duration": 0.1, **options})


def test_bad_tracts_are_named():
    connectome = make_connectome(np.ones((2, 2)), np.full((2, 2), -1.0))
    with pytest.raises(ValueError, match="tract_lengths must not be negative"):
        simulate(connectome, duration=0.1)
    connectome = make_connectome(np.full((2, 2), np.nan), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="weights holds NaN"):
        simulate(connectome, duration=0.1)


def test_without_tvb_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tvb.simulator.lab", None)
    with pytest.raises(ImportError, match=r"deepsif-lite\[tvb\]"):
        simulate(random_network(), duration=0.1, engine="tvb")
