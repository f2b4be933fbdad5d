"""One batch of simulations, checked and converted to the model's mV and ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import MismatchError, OptionError, SignalError, check_range
from .model import INITIAL_RANGES, MODEL, STATE_NAMES

if TYPE_CHECKING:
    from .connectome import Connectome

Seed = int | np.random.SeedSequence | Sequence[int | np.random.SeedSequence]

_SINGLE_SEED = (int, np.integer, np.random.SeedSequence)
_MS = 1e3  # milliseconds in a second
_PAST, _NOISE = 0, 1  # keys of what a simulation draws


@dataclass(frozen=True, eq=False)
class Problem:
    """What an engine needs to integrate ``n_sims`` networks of ``n_nodes`` regions.

    Attributes
    ----------
    connectome : Connectome
        Weights (n_nodes, n_nodes) and tract lengths (n_nodes, n_nodes), mm.
    delays : array of int, shape (n_nodes, n_nodes)
        Conduction delays in steps.
    gain : array of shape (n_sims, n_nodes)
        Excitatory gain A, mV.
    mean_input, noise_std : array of shape (n_sims,)
        Mean input rate (1/ms) and its noise in the paper's unit.
    dt : float
        Step, ms.
    n_steps, stride : int
        Steps to take, and one sample kept in how many.
    initial : array of shape (horizon, 6, n_nodes) | None
        The same past for all simulations, newest last; drawn at random when None.
    seeds : tuple of SeedSequence
        One for each simulation.
    """

    connectome: Connectome
    delays: NDArray[np.int64]
    gain: NDArray[np.float64]
    mean_input: NDArray[np.float64]
    noise_std: NDArray[np.float64]
    dt: float
    n_steps: int
    stride: int
    initial: NDArray[np.float64] | None
    seeds: tuple[np.random.SeedSequence, ...]

    @property
    def n_sims(self) -> int:
        """Number of simulations."""
        return self.gain.shape[0]

    @property
    def n_nodes(self) -> int:
        """Number of regions in each simulation."""
        return self.gain.shape[1]

    @property
    def horizon(self) -> int:
        """Number of past states that the longest delay asks for."""
        return int(self.delays.max()) + 1

    def history(self, sim: int) -> NDArray[np.float64]:
        """Return the past of one simulation, shape (horizon, 6, n_nodes)."""
        if self.initial is not None:
            return self.initial
        rng = np.random.default_rng(_child(self.seeds[sim], _PAST))
        low, high = np.array(INITIAL_RANGES).T[:, None, :, None]
        return rng.uniform(low, high, (self.horizon, len(STATE_NAMES), self.n_nodes))

    def noise_seed(self, sim: int) -> np.random.SeedSequence:
        """Return what an engine seeds the noise of one simulation with."""
        return _child(self.seeds[sim], _NOISE)

    def noise_amplitude(self) -> NDArray[np.float64]:
        """Return the deviation of one step's noise on y4 (mV/ms), shape (n_sims,)."""
        return MODEL.noise_unit * self.noise_std * np.sqrt(self.dt)


def make_problem(
    connectome: Connectome,
    gain: ArrayLike,
    mean_input: ArrayLike,
    noise_std: ArrayLike,
    duration: float,
    dt: float,
    stride: int,
    seed: Seed,
    initial: ArrayLike | None,
) -> Problem:
    """Check the arguments of :func:`deepsif_lite.simulate` and bring them together.

    Parameters are those of :func:`deepsif_lite.neural_mass.simulate`.

    Raises
    ------
    OptionError, SignalError, MismatchError
        An argument has an impossible value, the wrong shape, or another number of
        simulations than the others.
    """
    n_steps = _count_steps(duration, dt, stride)
    gain = _gain(gain, connectome.n_nodes)
    mean_input = _one_per_simulation("mean_input", mean_input)
    noise_std = _one_per_simulation("noise_std", noise_std)
    check_range("noise_std", float(noise_std.min()), 0)
    n_sims = _common_size(
        gain=gain.shape[0] if gain.ndim == 2 else 1,
        mean_input=mean_input.size,
        noise_std=noise_std.size,
        seed=1 if isinstance(seed, _SINGLE_SEED) else len(seed),
    )
    delays = _delays(connectome, dt * _MS)
    return Problem(
        connectome=connectome,
        delays=delays,
        gain=np.broadcast_to(gain, (n_sims, connectome.n_nodes)),
        mean_input=np.broadcast_to(mean_input, (n_sims,)),
        noise_std=np.broadcast_to(noise_std, (n_sims,)),
        dt=dt * _MS,
        n_steps=n_steps,
        stride=int(stride),
        initial=_initial(initial, int(delays.max()) + 1, connectome.n_nodes),
        seeds=_seeds(seed, n_sims),
    )


def _count_steps(duration: float, dt: float, stride: int) -> int:
    for name, value in (("duration", duration), ("dt", dt)):
        check_range(name, value, 0, np.finfo(float).max, open_low=True)
    if stride < 1 or stride != int(stride):
        msg = f"stride={stride!r} must be a whole number of steps, at least 1."
        raise OptionError(msg)
    # A duration such as 0.3 s holds 599.9999 steps in floating point.
    n_steps = int(np.floor(duration / dt + 1e-6))
    if n_steps < stride:
        msg = (
            f"duration={duration} s holds {n_steps} steps of dt={dt} s, fewer than "
            f"stride={stride}: nothing would be returned; simulate longer."
        )
        raise OptionError(msg)
    return n_steps


def _gain(gain: ArrayLike, n_nodes: int) -> NDArray[np.float64]:
    gain = _finite("gain", gain)
    if gain.ndim > 2 or (gain.ndim > 0 and gain.shape[-1] != n_nodes):
        msg = (
            f"gain has shape {gain.shape}; give a scalar, ({n_nodes},) or "
            f"(n_sims, {n_nodes}), one value for each node of the connectome."
        )
        raise SignalError(msg)
    return gain


def _one_per_simulation(name: str, value: ArrayLike) -> NDArray[np.float64]:
    value = _finite(name, value)
    if value.ndim > 1:
        msg = f"{name} has shape {value.shape}; give a scalar or one per simulation."
        raise SignalError(msg)
    return value


def _common_size(**sizes: int) -> int:
    n_sims = max(sizes.values())
    if wrong := {name: size for name, size in sizes.items() if size not in (1, n_sims)}:
        msg = (
            f"{wrong} simulations do not match the {n_sims} of the other arguments; "
            "give one value for all, or one for each simulation."
        )
        raise MismatchError(msg)
    return n_sims


def _finite(name: str, value: ArrayLike) -> NDArray[np.float64]:
    value = np.asarray(value, dtype=np.float64)
    if not np.isfinite(value).all():
        msg = f"{name} holds NaN or infinite values; every value must be finite."
        raise SignalError(msg)
    return value


def _delays(connectome: Connectome, dt: float) -> NDArray[np.int64]:
    """Delays in steps, rounded half to even as TVB does."""
    lengths = _finite("tract_lengths", connectome.tract_lengths)
    weights = _finite("weights", connectome.weights)
    if weights.shape != lengths.shape or weights.ndim != 2:
        msg = (
            f"weights {weights.shape} and tract_lengths {lengths.shape} must be "
            "square and of the same size."
        )
        raise SignalError(msg)
    if (lengths < 0).any():
        msg = f"tract_lengths must not be negative, smallest is {lengths.min()} mm."
        raise SignalError(msg)
    return np.rint(lengths / MODEL.conduction_speed / dt).astype(np.int64)


def _initial(
    initial: ArrayLike | None, horizon: int, n_nodes: int
) -> NDArray[np.float64] | None:
    if initial is None:
        return None
    initial = _finite("initial", initial)
    shape = (len(STATE_NAMES), n_nodes)
    if initial.shape == shape:
        return np.broadcast_to(initial, (horizon, *shape))
    if initial.ndim != 3 or initial.shape[1:] != shape or len(initial) < horizon:
        msg = (
            f"initial has shape {initial.shape}; give {shape} or "
            f"(horizon, {shape[0]}, {shape[1]}) with horizon >= {horizon} steps, the "
            "longest delay plus one."
        )
        raise SignalError(msg)
    return initial[-horizon:]


def _seeds(seed: Seed, n_sims: int) -> tuple[np.random.SeedSequence, ...]:
    """One stream for each simulation, whatever they are grouped with."""
    if isinstance(seed, _SINGLE_SEED):
        root = _sequence(seed)
        return tuple(_child(root, sim) for sim in range(n_sims))
    if len(seed) == 1:
        return _seeds(seed[0], n_sims)
    return tuple(_sequence(one) for one in seed)


def _sequence(seed: int | np.random.SeedSequence) -> np.random.SeedSequence:
    if isinstance(seed, np.random.SeedSequence):
        return seed
    return np.random.SeedSequence(int(seed))


def _child(seed: np.random.SeedSequence, key: int) -> np.random.SeedSequence:
    """Return a stream of its own, by key: ``spawn`` counts its calls instead."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, key))
