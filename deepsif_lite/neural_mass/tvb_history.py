"""The Virtual Brain's record of past states, in double precision.

As it comes, The Virtual Brain stores weights and delayed states in float32. A network
of spiking regions magnifies that rounding from spike to spike: after half a second two
exact integrators differ by 1e-7 to 1e-2 mV for it alone, depending on the start. An
oracle must not round more than what it is to check.

Importing this needs tvb-library.
"""

from __future__ import annotations

from tvb.simulator.descriptors import NDArray
from tvb.simulator.history import SparseHistory
from tvb.simulator.simulator import Simulator


def _in_double(history: type) -> dict[str, NDArray]:
    """Declare the single-precision arrays of a history once more, in double."""
    return {
        name: NDArray(array.shape, "d", array.read_only)
        for kind in reversed(history.__mro__)
        for name, array in vars(kind).items()
        if isinstance(array, NDArray) and array.dtype == "f"
    }


_DoubleHistory = type("_DoubleHistory", (SparseHistory,), _in_double(SparseHistory))


def store_in_double(simulator: Simulator) -> None:
    """Replace the record of a configured simulator that has not run yet."""
    history = _DoubleHistory(
        simulator.connectivity.weights,
        simulator.connectivity.idelays,
        simulator.model.cvar,
        simulator.model.number_of_modes,
    )
    history.initialize(simulator.initial_conditions[-history.n_time :])
    simulator.history = history
