"""Recordings of a person's own head, imaged by the template: what no training met.

The head is that of subject A0206 by finite elements, see
:func:`deepsif_lite.head.load_fem_head`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepsif_lite.head import (
    CapSampler,
    Wearer,
    load_cap_sampler,
    load_fem_head,
    template_cap,
)


@dataclass(frozen=True, eq=False)
class PersonalCap(CapSampler):
    """One cap, worn by one person.

    Attributes
    ----------
    electrodes : array of shape (n_electrodes, 3)
        Nominal places, meters.
    recorded_by : array of shape (n_electrodes, n_regions)
        The person's leadfield, V/(A m).
    """

    electrodes: NDArray
    recorded_by: NDArray

    def draw(self, rng: np.random.Generator) -> NDArray:
        """Return the cap."""
        return self.electrodes

    def recorded(
        self,
        electrodes: NDArray,
        distance: float,
        rng: np.random.Generator,
        template_share: float = 0.0,
    ) -> Wearer:
        """Return the person."""
        return Wearer(self.recorded_by, electrodes)


def personal_cap(*, own_head: bool = True) -> PersonalCap:
    """Return the cap of the subject, on their head or for comparison on the template's.

    Raises
    ------
    RecordingUnavailable
        The published files cannot be reached.
    """
    head = load_fem_head()
    cap = template_cap(head.ch_names)
    worn = head if own_head else cap
    return PersonalCap(
        **vars(load_cap_sampler()),
        electrodes=cap.sensors,
        recorded_by=worn.leadfield.astype(float),
    )
