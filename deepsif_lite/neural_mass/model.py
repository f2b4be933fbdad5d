"""The Jansen-Rit model and its constants, in the literature's mV and ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

#: Excitatory gain A of a region without spikes, mV.
HEALTHY_GAIN = 3.25

STATE_NAMES = ("y0", "y1", "y2", "y3", "y4", "y5")

#: Range of the uniform random history, per state variable (mV and mV/ms), as TVB
#: draws it.
INITIAL_RANGES = (
    (-1.0, 1.0),
    (-500.0, 500.0),
    (-50.0, 50.0),
    (-6.0, 6.0),
    (-20.0, 20.0),
    (-500.0, 500.0),
)


@dataclass(frozen=True)
class JansenRit:
    """Constants of the model, at the values of the DeepSIF paper.

    Six state variables per region: y0, y1, y2 are the post-synaptic potentials of
    the pyramidal cells' output, their excitatory and their inhibitory input (mV),
    y3, y4, y5 the derivatives of those (mV/ms). With the firing rate ::

        S(v) = 2 nu_max / (1 + exp(r (v0 - v)))

    the equations are ::

        y0'' = A a S(y1 - y2)                      - 2 a y0' - a^2 y0
        y1'' = A a (mu + a2 J S(a1 J y0) + c)      - 2 a y1' - a^2 y1
        y2'' = B b a4 J S(a3 J y0)                 - 2 b y2' - b^2 y2

    where A is the gain and mu the mean input of a simulation, and c the sum of
    delayed, weighted firing rates S(y1 - y2) of the connected regions.

    References
    ----------
    Jansen and Rit 1995 (doi 10.1007/BF00199471); Sun et al. 2022, "Neural mass
    models" (doi 10.1073/pnas.2201128119).
    """

    inhibitory_gain: float = 22.0  # B, mV
    excitatory_rate: float = 0.1  # a, 1/ms
    inhibitory_rate: float = 0.05  # b, 1/ms
    threshold: float = 6.0  # v0, mV; also the midpoint of the long-range coupling
    max_rate: float = 0.0025  # nu_max, 1/ms
    slope: float = 0.56  # r, 1/mV
    contacts: float = 135.0  # J
    pyramidal_to_excitatory: float = 1.0  # a1
    excitatory_to_pyramidal: float = 0.8  # a2
    pyramidal_to_inhibitory: float = 0.25  # a3
    inhibitory_to_pyramidal: float = 0.25  # a4
    conduction_speed: float = 3.0  # mm/ms
    #: Noise on y4 for noise_std = 1, mV/ms^1.5: a * 3.25 * (0.15 - 0.03) / 2, the
    #: half range of the paper's input rate through the excitatory synapse. It keeps
    #: 3.25 where the gain is raised.
    noise_unit: float = 0.0195

    def firing_rate(self, potential: ArrayLike) -> NDArray[np.float64]:
        """Return S (1/ms) at potentials (mV), of the same shape."""
        above = np.asarray(potential, dtype=float) - self.threshold
        return 2 * self.max_rate * expit(self.slope * above)


# The parameters of the paper.
MODEL = JansenRit()
