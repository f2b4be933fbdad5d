"""The Virtual Brain as an engine: slow, and the oracle the others are checked with."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._lazy import import_optional
from .model import MODEL, STATE_NAMES
from .problem import Problem


def run(
    problem: Problem, dtype: DTypeLike, chunk_samples: int, n_jobs: int
) -> Iterator[NDArray[np.floating]]:
    """Integrate one simulation after the other and yield chunks as the other engines.

    TVB computes in float64, and keeps weights and delayed states in float32 unless
    ``dtype`` is float64. Its noise comes from its own stream, seeded from the
    simulation's, so only noiseless runs equal those of the other engines.

    Raises
    ------
    ImportError
        tvb-library is not installed.
    """
    del n_jobs  # TVB keeps to one thread
    with warnings.catch_warnings():
        # About geodesic distances, which nothing here needs.
        warnings.filterwarnings("ignore", category=UserWarning, module="tvb")
        import_optional("tvb.simulator.lab", "tvb", "engine='tvb'")
    n_samples = problem.n_steps // problem.stride
    simulators = [_simulator(problem, sim, dtype) for sim in range(problem.n_sims)]
    for start in range(0, n_samples, chunk_samples):
        count = min(chunk_samples, n_samples - start)
        chunks = []
        for simulator in simulators:
            # Sigmoids saturate far from threshold; numpy would warn of the overflow.
            with np.errstate(over="ignore"):
                ((_, psp),) = simulator.run(n_steps=count * problem.stride)
            kept = psp[:: problem.stride, :, :, 0]
            chunks.append(kept[:, 0] - kept[:, 1])
        yield np.stack(chunks).astype(dtype)


def _simulator(problem: Problem, sim: int, dtype: DTypeLike):
    """One configured TVB simulator."""
    from tvb.simulator import coupling, monitors
    from tvb.simulator.simulator import Simulator

    simulator = Simulator(
        model=_model(problem, sim),
        connectivity=_connectivity(problem),
        coupling=coupling.SigmoidalJansenRit(
            cmin=np.array([0.0]),
            cmax=np.array([2 * MODEL.max_rate]),
            midpoint=np.array([MODEL.threshold]),
            r=np.array([MODEL.slope]),
        ),
        integrator=_integrator(problem, sim),
        monitors=(monitors.Raw(),),
        initial_conditions=problem.history(sim)[..., None].copy(),
    ).configure()
    if np.dtype(dtype) == np.float64:
        from .tvb_history import store_in_double

        store_in_double(simulator)
    return simulator


def _connectivity(problem: Problem):
    from tvb.datatypes.connectivity import Connectivity

    n_nodes = problem.n_nodes
    return Connectivity(
        weights=np.array(problem.connectome.weights, dtype=float),
        tract_lengths=np.array(problem.connectome.tract_lengths, dtype=float),
        region_labels=np.array([f"node-{node}" for node in range(n_nodes)]),
        centres=np.zeros((n_nodes, 3)),
        speed=np.array([MODEL.conduction_speed]),
    )


def _model(problem: Problem, sim: int):
    from tvb.simulator import models

    return models.JansenRit(
        A=np.array(problem.gain[sim]),
        B=np.array([MODEL.inhibitory_gain]),
        a=np.array([MODEL.excitatory_rate]),
        b=np.array([MODEL.inhibitory_rate]),
        v0=np.array([MODEL.threshold]),
        nu_max=np.array([MODEL.max_rate]),
        r=np.array([MODEL.slope]),
        J=np.array([MODEL.contacts]),
        a_1=np.array([MODEL.pyramidal_to_excitatory]),
        a_2=np.array([MODEL.excitatory_to_pyramidal]),
        a_3=np.array([MODEL.pyramidal_to_inhibitory]),
        a_4=np.array([MODEL.inhibitory_to_pyramidal]),
        mu=np.array([problem.mean_input[sim]]),
        variables_of_interest=["y1", "y2"],
    )


def _integrator(problem: Problem, sim: int):
    from tvb.simulator import integrators, noise

    nsig = np.zeros(len(STATE_NAMES))
    # TVB multiplies sqrt(dt) N(0, 1) by sqrt(2 nsig).
    nsig[4] = (problem.noise_amplitude()[sim] / np.sqrt(problem.dt)) ** 2 / 2
    stream = np.random.RandomState(problem.seeds[sim].generate_state(1))
    return integrators.HeunStochastic(
        dt=problem.dt, noise=noise.Additive(nsig=nsig, random_stream=stream)
    )
