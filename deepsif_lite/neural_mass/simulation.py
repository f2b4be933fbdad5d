"""Networks of Jansen-Rit neural masses with conduction delays.

Equations and constants are in :mod:`.model`, one engine in each ``*_engine`` module.
This is the border between SI units (arguments in seconds) and the model's mV and ms.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..errors import OptionError, check_option
from .model import HEALTHY_GAIN
from .problem import Seed, make_problem

if TYPE_CHECKING:
    from .connectome import Connectome

# What can run a simulation: numba on the CPU, torch on a GPU, The Virtual Brain.
ENGINES = ("numba", "torch", "tvb")
DTYPES = ("float32", "float64")


def simulate(
    connectome: Connectome,
    gain: ArrayLike = HEALTHY_GAIN,
    mean_input: ArrayLike = 0.087,
    noise_std: ArrayLike = 1.0,
    duration: float = 2.0,
    dt: float = 0.5e-3,
    stride: int = 1,
    seed: Seed = 0,
    initial: ArrayLike | None = None,
    engine: str = "numba",
    dtype: DTypeLike = "float32",
    n_jobs: int | None = None,
) -> NDArray[np.floating]:
    """Simulate a network of Jansen-Rit regions, as many times as there are gains.

    Parameters
    ----------
    connectome : Connectome
        Weights (n_nodes, n_nodes)[target, source] and tract lengths (mm).
    gain : float | array of shape (n_nodes,) or (n_sims, n_nodes)
        Excitatory gain A (mV); 3.25 in healthy regions, 3.5 to 3.6 where spikes
        are wanted.
    mean_input : float | array of shape (n_sims,)
        Mean rate of the input mu (1/ms).
    noise_std : float | array of shape (n_sims,)
        Deviation of the input in the paper's unit: 1 is 0.0195 mV/ms^1.5 on y4.
        0 switches the noise off.
    duration, dt : float
        Length of the simulation and of a step (s).
    stride : int
        Keep samples 0, stride, 2 stride, ... of the steps taken (no anti-aliasing).
    seed : int | SeedSequence | sequence of them
        One seed, from which every simulation draws its own stream, or one for each.
        The result of a simulation does not depend on which others run beside it.
    initial : array of shape (6, n_nodes) or (horizon, 6, n_nodes) | None
        Past states, newest last, shared by all simulations; None draws them
        uniformly from TVB's state ranges.
    engine : "numba" | "torch" | "tvb"
        Compiled for the CPU, for a GPU, or The Virtual Brain itself (extra ``tvb``).
        Noise comes from each engine's own streams.
    dtype : "float32" | "float64"
        Type of the computation and of the result. The Virtual Brain always computes
        in float64 but stores weights and delayed states in float32, which limits
        how exact its result is; with "float64" it stores them in float64 too.
    n_jobs : int | None
        Threads; None takes all cores.

    Returns
    -------
    psp : array of shape (n_sims, n_steps // stride, n_nodes)
        y1 - y2, the net post-synaptic potential of the pyramidal cells (mV).

    Raises
    ------
    DeepSIFError
        An argument has the wrong shape, is not finite or out of range.
    ImportError
        The engine's package is not installed.

    See Also
    --------
    simulate_chunks : The same in pieces, for runs too long to be held.

    References
    ----------
    Sun et al. 2022, "Synthetic training data"; integration as in The Virtual Brain's
    ``HeunStochastic`` (Sanz-Leon et al. 2015, doi 10.1016/j.neuroimage.2015.01.002).

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> psp = dl.simulate(dl.load_connectome("template"), duration=0.1)
    >>> psp.shape
    (1, 200, 994)
    """
    (psp,) = _start(chunk=duration, **locals())
    return psp


def simulate_chunks(
    connectome: Connectome, *, chunk: float = 1.0, **options
) -> Iterator[NDArray[np.floating]]:
    """Simulate and yield successive stretches, so that nothing long is stored.

    Parameters
    ----------
    connectome : Connectome
        As in :func:`simulate`.
    chunk : float
        Length of a stretch (s); the last one may be shorter.
    **options
        All others of :func:`simulate`, by name.

    Yields
    ------
    psp : array of shape (n_sims, n_samples, n_nodes)
        The next stretch of what :func:`simulate` returns (mV).

    Raises
    ------
    DeepSIFError, ImportError
        As :func:`simulate`, at the call rather than at the first stretch.
    TypeError
        An option has no such name.
    """
    call = signature(simulate).bind(connectome, **options)
    call.apply_defaults()
    return _start(chunk=chunk, **call.arguments)


def _start(
    chunk: float,
    *,
    dt: float,
    stride: int,
    engine: str,
    dtype: DTypeLike,
    n_jobs: int | None,
    **options,
) -> Iterator[NDArray[np.floating]]:
    """Check the arguments and set the engine going."""
    check_option("engine", engine, ENGINES)
    check_option("dtype", np.dtype(dtype).name, DTYPES)
    problem = make_problem(dt=dt, stride=stride, **options)
    samples = round(chunk / (dt * stride))
    if samples < 1:
        msg = f"chunk={chunk} s is shorter than one sample of {dt * stride} s."
        raise OptionError(msg)
    run = import_module(f".{engine}_engine", __package__).run
    return run(problem, np.dtype(dtype), samples, n_jobs or os.cpu_count() or 1)
