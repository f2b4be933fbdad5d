"""Who a virtual patient is: a head, a source, a resection, all drawn from one seed.

No network was trained on any of the heads. Training draws its heads from the shapes
with seeds from 1000 on (:mod:`deepsif_lite.head.training_caps`); here are the twenty
shapes of :data:`deepsif_lite.head.HEAD_VARIANTS`, with seeds 1 to 20, one a patient.
Their stored leadfields have one conductivity. That of another skull adds what it
changes on the template: beside the boundary elements of a head of that shape and
conductivity, the sum is right to 3 % (median over parcels; correlation .9997), whereas
the shape alone is off by 26 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cortex.patches import decay, grow_to_area
from ..head.jitter import ElectrodeJitter
from ..head.loading import load_head_model
from ..head.variants import N_SHAPES, load_head_variant

if TYPE_CHECKING:
    from ..cortex.surface import Cortex
    from ..head.model import HeadModel

N_PEOPLE = N_SHAPES
_SKULLS = ("template-75", "skull-1/20", "skull-1/40", "skull-1/60", "skull-1/100")
_SOURCE_AREA = (8e-4, 25e-4)  # m^2; smaller sources give no spike at the scalp
_HALF_DISTANCE = (0.04, 0.06)  # m, as in training
_N_ONSET = 5  # regions where seizures start
# Area of the resection over that of the source: surgery takes more than makes the
# spike, where it cures; where it does not quite, less.
_TAKEN, _TAKEN_PARTLY = (1.3, 3.0), (0.6, 0.9)
# Of ten patients, seven have temporal lobe epilepsy, and one is not quite free of
# seizures (2 of 20 in the paper). Of ten, seven have electrodes inside the head (14).
_TEMPORAL, _AURAS, _IMPLANTED = 7, 9, 7
_AGE = (34.0, 14.0)  # mean and standard deviation, years
_AGES = (12.0, 70.0)


@dataclass(frozen=True, eq=False)
class Person:
    """What a virtual patient is made of.

    Attributes
    ----------
    head : HeadModel
        The own head under electrodes that are beside their places.
    source : array of int
        Regions that make the spike, the seed first.
    strength : array of shape (n_source,)
        Of each, at most 1.
    onset_zone, resection : array of int
    outcome : str
    age : float
    implanted : bool
        Has electrodes inside the head.
    """

    head: HeadModel
    source: NDArray
    strength: NDArray
    onset_zone: NDArray
    resection: NDArray
    outcome: str
    age: float
    implanted: bool


def draw_person(
    index: int,
    head: HeadModel,
    misplacement: float,
    rng: np.random.Generator,
    *,
    own: bool = True,
) -> Person:
    """Draw a virtual patient.

    Parameters
    ----------
    index : int
        From 0 to 19: the head's shape, and the make-up of the cohort.
    head : HeadModel
        The template under the cap.
    misplacement : float
        Root mean square distance of electrodes from their places, m.
    rng : numpy.random.Generator
    own : bool
        Has a head of the own; otherwise the template's.

    Returns
    -------
    Person
    """
    cortex = head.cortex
    temporal, cured = index % 10 < _TEMPORAL, index % 10 != _AURAS
    places = np.flatnonzero(temporal_lobe(cortex) == temporal)
    area = np.exp(rng.uniform(*np.log(_SOURCE_AREA)))
    source = np.asarray(
        grow_to_area(cortex, int(rng.choice(places)), float(area), rng=rng)
    )
    near = np.argsort(cortex.distances[source[0], source])
    onset_zone = source[near[:_N_ONSET]]
    share = rng.uniform(*(_TAKEN if cured else _TAKEN_PARTLY))
    resection = block(
        cortex, int(rng.choice(onset_zone)), share * cortex.areas[source].sum()
    )
    return Person(
        head=own_head(index, head, misplacement, rng, own=own),
        source=source,
        strength=decay(cortex, source, rng.uniform(*_HALF_DISTANCE)),
        onset_zone=onset_zone,
        resection=resection,
        outcome=f"virtual: ILAE {1 if cured else 2}",
        age=float(np.clip(rng.normal(*_AGE), *_AGES).round()),
        implanted=index % 10 < _IMPLANTED,
    )


def own_head(
    index: int,
    head: HeadModel,
    misplacement: float,
    rng: np.random.Generator,
    *,
    own: bool = True,
) -> HeadModel:
    """Return a head of another shape and skull, electrodes beside their places.

    Parameters as of :func:`draw_person`.
    """
    skull = _SKULLS[rng.integers(len(_SKULLS))]
    if not own:
        return misplace_electrodes(head, misplacement, rng)
    shape = load_head_variant(f"shape-{index + 1:02d}")
    template = load_head_model("template-75")
    of_skull = template if skull == template.name else load_head_variant(skull)
    leadfield = shape.leadfield + of_skull.leadfield - template.leadfield
    name = f"{shape.name}, {of_skull.name}"
    mine = replace(shape, name=name, leadfield=leadfield).pick(head.ch_names)
    return misplace_electrodes(mine, misplacement, rng)


def misplace_electrodes(
    head: HeadModel, distance: float, rng: np.random.Generator
) -> HeadModel:
    """Return the head model with its electrodes moved, at the same names.

    Parameters
    ----------
    head : HeadModel
    distance : float
        Root mean square of the moves, m. They are random and independent.
    rng : numpy.random.Generator
        Source of the moves.

    See Also
    --------
    deepsif_lite.head.ElectrodeJitter : Makes the moves.
    """
    moved = ElectrodeJitter(head.sensors).draw(distance, rng)
    return replace(head, leadfield=moved @ head.leadfield, vertex_gain=None)


def temporal_lobe(cortex: Cortex) -> NDArray[np.bool_]:
    """Return which regions lie in the temporal lobes, about.

    By planes below and behind the lateral fissure of fsaverage: they hold 87 % of the
    regions of the temporal Brodmann areas, and 80 % of theirs are such regions. An
    atlas, which is not shipped, is not needed to place virtual sources.
    """
    right, front, up = cortex.centroids.T
    aside = np.abs(right)
    below = up < -0.008 - 0.45 * (front - 0.010)
    orbit = (front > 0.008) & (aside < 0.028) & (up > -0.020)
    inside = (front < 0.024) & (front > -0.062) & (aside > 0.017) & (up < 0.022)
    return below & inside & ~orbit


def block(cortex: Cortex, center: int, area: float) -> NDArray:
    """Return the regions nearest to one, together, until they cover an area (m^2)."""
    grown = {center}
    while cortex.areas[list(grown)].sum() < area:
        edge = {int(n) for region in grown for n in cortex.neighbors[region]} - grown
        if not edge:  # the hemisphere is used up
            break
        grown.add(min(edge, key=lambda region: cortex.distances[center, region]))
    return np.array(sorted(grown))
