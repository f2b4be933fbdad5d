"""What a noisy brain does, in a few numbers, so that engines can be compared.

With noise on, two engines never agree sample by sample: each has its own random
stream. What must agree is how the activity is distributed. The comparison runs on a
small part of a brain, because The Virtual Brain is slow, and states the sampling
error of every number beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_shipped_table
from ..neural_mass.simulation import simulate
from .build import BURN_IN, DT
from .detection import SFREQ, find_peaks

if TYPE_CHECKING:
    import pandas as pd

    from ..neural_mass.connectome import Connectome

BANDS = {
    "delta": (1, 4),
    "theta": (4, 8),
    "alpha": (8, 13),
    "beta": (13, 30),
    "gamma": (30, 80),
}  # Hz
# Name of the statistic, as it stands in the tables.
SPIKE_RATE = "spikes per second"
RUN_SECONDS = 20.0
#: A course that varies less than this, from its lowest to its highest, rests, mV.
REST_RANGE = 0.3


@dataclass(frozen=True)
class Condition:
    """One setting at which the engines are compared with The Virtual Brain.

    Attributes
    ----------
    gain : float
        Excitatory gain of the raised node (mV).
    mean_input, noise_std : float
        Mean input (1/ms) and its deviation in the paper's unit.
    n_runs : int
        Independent runs that bring the sampling error of The Virtual Brain's spike
        rate to 2 % or less; the fewer the spikes, the more runs.
    """

    gain: float
    mean_input: float = 0.087
    noise_std: float = 1.0
    n_runs: int = 25


# Settings at which the engines are compared with The Virtual Brain.
CONDITIONS = (
    Condition(3.25),
    Condition(3.45, n_runs=100),
    Condition(3.5),
    Condition(3.55),
    Condition(3.6),
    Condition(3.7),
    Condition(3.6, 0.08, 1.7, n_runs=40),
    Condition(3.6, 0.083, 1.5, n_runs=40),
)


def small_brain(
    connectome: Connectome, hub: int = 300, n_nodes: int = 24
) -> Connectome:
    """Cut out a node and those with the strongest links to it.

    Weights are scaled so that the median in-strength is what it was in the whole
    brain: the neural masses then work in the same regime.

    Parameters
    ----------
    connectome : Connectome
        The whole brain.
    hub : int
        Node that becomes node 0.
    n_nodes : int
        Nodes to keep.

    Returns
    -------
    part : Connectome
    """
    others = np.argsort(-connectome.weights[hub], kind="stable")
    kept = np.r_[hub, others[others != hub][: n_nodes - 1]]
    weights = connectome.weights[np.ix_(kept, kept)]
    whole, part = (np.median(w.sum(axis=1)) for w in (connectome.weights, weights))
    name = f"{connectome.name}, {n_nodes} nodes around {hub}"
    return replace(
        connectome,
        name=name,
        cortex=name,  # its regions are no parcellation
        weights=weights * whole / part,
        tract_lengths=connectome.tract_lengths[np.ix_(kept, kept)],
        node_of_region=np.arange(n_nodes),
    )


def activity_statistics(
    psp: NDArray, raised: int = 0, sfreq: float = SFREQ
) -> pd.DataFrame:
    """Reduce simulations to the numbers that are compared.

    Parameters
    ----------
    psp : array of shape (n_sims, n_times, n_nodes)
        y1 - y2 after the burn-in (mV).
    raised : int
        Node whose gain is raised; all others are the background.
    sfreq : float
        Hz.

    Returns
    -------
    table : DataFrame, one row for each simulation
        Mean and deviation in time of the background (mV, averaged over nodes), its
        power in each band (mV^2), mean and deviation of the raised node, and how
        often that reaches 8 mV in a second.
    """
    import pandas as pd
    from scipy import signal

    background = np.delete(psp, raised, axis=2)
    frequencies, density = signal.welch(
        background, sfreq, nperseg=round(2 * sfreq), axis=1
    )
    density = density.mean(axis=2)
    width = frequencies[1] - frequencies[0]
    bands = {
        f"{name} power (mV²)": density[
            :, (frequencies >= low) & (frequencies < high)
        ].sum(axis=1)
        * width
        for name, (low, high) in BANDS.items()
    }
    n_spikes = [len(find_peaks(run[:, [raised]])[0]) for run in psp]
    return pd.DataFrame(
        {
            "background mean (mV)": background.mean(axis=(1, 2)),
            "background deviation (mV)": background.std(axis=1).mean(axis=1),
            **bands,
            "raised mean (mV)": psp[:, :, raised].mean(axis=1),
            "raised deviation (mV)": psp[:, :, raised].std(axis=1),
            SPIKE_RATE: np.array(n_spikes) * sfreq / psp.shape[1],
        }
    )


def oscillation_frequency(psp: NDArray, sfreq: float = SFREQ) -> NDArray:
    """Count how often a second activity rises through the middle of its range.

    Parameters
    ----------
    psp : array of shape (..., n_times)
        y1 - y2 (mV).
    sfreq : float
        Hz.

    Returns
    -------
    frequency : array of shape (...)
        Hz; NaN where the activity rests, that is varies by less than 0.3 mV.
    """
    low, high = psp.min(axis=-1), psp.max(axis=-1)
    above = psp > ((low + high) / 2)[..., None]
    rises = (above[..., 1:] & ~above[..., :-1]).sum(axis=-1)
    frequency = rises * sfreq / psp.shape[-1]
    return np.where(high - low >= REST_RANGE, frequency, np.nan)


def run_condition(
    connectome: Connectome,
    condition: Condition,
    runs: Iterable[int],
    engine: str = "numba",
    seed: int = 0,
    copies: int = 1,
) -> pd.DataFrame:
    """Simulate some runs of a condition and return their statistics, a row each.

    Parameters
    ----------
    connectome : Connectome
        Node 0 is raised.
    condition : Condition
        Gain, mean input and noise.
    runs : iterable of int
        Numbers of the runs; each has a seed of its own.
    engine : str
        As in :func:`deepsif_lite.simulate`.
    seed : int
        Of all runs.
    copies : int
        Networks in each run, side by side and without links between them, every one
        a row of its own. Saves time where a step costs the same whatever the number
        of nodes, as in The Virtual Brain.
    """
    runs = list(runs)
    gain = connectome.raised_gain([0] * copies, condition.gain)
    psp = simulate(
        _side_by_side(connectome, copies),
        gain=np.broadcast_to(gain.ravel(), (len(runs), gain.size)),
        mean_input=condition.mean_input,
        noise_std=condition.noise_std,
        duration=BURN_IN + RUN_SECONDS,
        dt=DT,
        stride=round(1 / (SFREQ * DT)),
        seed=[np.random.SeedSequence(seed, spawn_key=(run,)) for run in runs],
        engine=engine,
    )
    psp = psp[:, round(BURN_IN * SFREQ) :]
    each = psp.reshape(*psp.shape[:2], copies, connectome.n_nodes).swapaxes(1, 2)
    return activity_statistics(each.reshape(-1, psp.shape[1], connectome.n_nodes))


def _side_by_side(connectome: Connectome, copies: int) -> Connectome:
    blocks = np.eye(copies)
    return replace(
        connectome,
        weights=np.kron(blocks, connectome.weights),
        tract_lengths=np.kron(blocks, connectome.tract_lengths),
        node_of_region=np.arange(copies * connectome.n_nodes),
    )


def summarize_runs(runs: pd.DataFrame, condition: Condition) -> pd.DataFrame:
    """Return mean and standard error over runs, one row for each measure.

    Parameters
    ----------
    runs : DataFrame
        From :func:`run_condition`.
    condition : Condition
        What was simulated; names the rows.

    Returns
    -------
    table : DataFrame
        Columns gain, mean_input, noise_std, measure, mean, error, n_runs.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "gain": condition.gain,
            "mean_input": condition.mean_input,
            "noise_std": condition.noise_std,
            "measure": runs.columns,
            "mean": runs.mean().to_numpy(),
            "error": runs.sem().to_numpy(),
            "n_runs": len(runs),
        }
    )


def engine_differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Set two engines' tables from :func:`summarize_runs` beside each other.

    Parameters
    ----------
    ours, theirs : DataFrame
        Rows are matched by condition and measure.

    Returns
    -------
    table : DataFrame
        Columns ours, theirs, difference (% of theirs), error (standard error of that
        difference, %) and z, difference over error. Where theirs is zero, as the
        spike rate of a healthy node, the three are not defined.
    """
    key = ["gain", "mean_input", "noise_std", "measure"]
    both = ours.merge(theirs, on=key, suffixes=("_ours", "_theirs"), validate="1:1")
    percent = 100 / both["mean_theirs"].where(both["mean_theirs"] != 0)
    table = both[key].assign(
        ours=both["mean_ours"],
        theirs=both["mean_theirs"],
        difference=(both["mean_ours"] - both["mean_theirs"]) * percent,
        error=np.hypot(both["error_ours"], both["error_theirs"]) * percent.abs(),
    )
    return table.assign(z=table["difference"] / table["error"]).set_index(key)


def read_tvb_statistics() -> pd.DataFrame:
    """Read The Virtual Brain's own statistics of :data:`CONDITIONS`.

    Returns
    -------
    table : DataFrame
        As :func:`summarize_runs`, for all conditions; ``make bench-statistics`` makes
        it again.
    """
    return read_shipped_table("tvb_statistics.csv")
