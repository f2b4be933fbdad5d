"""Sources of the EEG that are not cortex: eyes and muscles, as dipoles in the scalp.

Eyes, temporal and frontal muscles, jaw and neck lie between skull and skin, which in a
three-shell head is the scalp compartment. OpenMEEG takes dipoles there, so their true
fields are those of the same boundary elements as the cortex's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..mesh import geodesic_sphere
from .fsaverage import fiducials
from .shells import Shells

# Centers of the eyeballs, from the nasion: half the distance between the pupils of
# adults (62 to 64 mm), and how far the middle of the globe lies behind it.
_EYE_ASIDE = 32e-3  # m
_EYE_BEHIND = 22e-3  # m
_EYE_SPREAD = 4e-3  # m, how far eyes of other people are from there
_MUSCLE_FREQUENCY = 6  # directions of the muscle sites: 362 all over, 15 mm apart
# Where muscles of the head lie, as directions from the center of the head in the axes
# right, front, top, and how wide (cosine of the half-angle).
_MUSCLES = {
    "temporal": ((1.0, 0.25, -0.05), 0.90),
    "masseter": ((0.75, 0.45, -0.55), 0.92),
    "frontal": ((0.35, 0.90, 0.25), 0.90),
    "neck": ((0.35, -0.80, -0.55), 0.85),
}


@dataclass(frozen=True, eq=False)
class ArtifactSites:
    """Places of dipoles that are not cortex; each stands for three, one an axis.

    Attributes
    ----------
    kind : array of str, shape (n_sites,)
        ``"eye"``, ``"temporal"``, ``"masseter"``, ``"frontal"`` or ``"neck"``.
    side : array of int, shape (n_sites,)
        -1 left, 1 right.
    variant : array of int, shape (n_sites,)
        Of the eyes, which displacement: both eyes share one. 0 elsewhere.
    positions : array of shape (n_sites, 3)
        Meters, MRI frame, inside the scalp compartment.
    """

    kind: NDArray
    side: NDArray
    variant: NDArray
    positions: NDArray

    def dipoles(self) -> tuple[NDArray, NDArray]:
        """Return positions and unit moments, shape (n_sites * 3, 3) each.

        The three axes of a site (right, front, top) follow each other.
        """
        moments = np.tile(np.eye(3), (len(self.positions), 1))
        return np.repeat(self.positions, 3, axis=0), moments


def artifact_sites(shells: Shells) -> ArtifactSites:
    """Place eyes and muscles between the skull and the skin of a head.

    Parameters
    ----------
    shells : Shells
        In fsaverage's frame, whose landmarks say where the eyes are.

    Returns
    -------
    ArtifactSites
    """
    eyes, muscles = _eyes(shells), _muscles(shells)
    return ArtifactSites(
        *(np.concatenate(pair) for pair in zip(eyes, muscles, strict=True))
    )


def _eyes(shells: Shells) -> tuple[NDArray, ...]:
    nasion = fiducials()[1]
    moves = _EYE_SPREAD * np.array(
        [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    )
    sides = np.repeat([-1, 1], len(moves))
    centers = nasion + np.array([0, -_EYE_BEHIND, 0]) + np.tile(moves, (2, 1))
    centers[:, 0] = sides * (_EYE_ASIDE + np.tile(moves[:, 0], 2))
    variant = np.tile(np.arange(len(moves)), 2)
    kind = np.full(len(sides), "eye", dtype="<U8")
    return kind, sides, variant, _into_scalp(shells, centers)


def _muscles(shells: Shells) -> tuple[NDArray, ...]:
    directions, _ = geodesic_sphere(_MUSCLE_FREQUENCY)
    sides = np.where(directions[:, 0] < 0, -1, 1)
    mirrored = directions.copy()
    mirrored[:, 0] = np.abs(directions[:, 0])
    kind = np.full(len(directions), "", dtype="<U8")
    closest = np.zeros(len(directions))
    for name, (axis, width) in _MUSCLES.items():
        cosine = mirrored @ (np.asarray(axis) / np.linalg.norm(axis))
        here = (cosine >= width) & (cosine > closest)
        kind[here], closest[here] = name, cosine[here]
    inside = kind != ""
    # Halfway through the compartment: as far from the skull as from the skin.
    places = shells.center + directions[inside]
    places = _into_scalp(shells, places, halfway=True)
    variant = np.zeros(int(inside.sum()), dtype=int)
    return kind[inside], sides[inside], variant, places


def _into_scalp(shells: Shells, points: NDArray, halfway: bool = False) -> NDArray:
    """Move points along their radius into the scalp compartment, off its borders."""
    rays = points - shells.center
    radius = np.linalg.norm(rays, axis=1)
    rays = rays / radius[:, None]
    low, high = (shells.radius(name, rays) for name in ("outer_skull", "scalp"))
    # Near a surface its triangles are too coarse for a dipole's field.
    margin = 0.25 * (high - low)
    wanted = (low + high) / 2 if halfway else np.clip(radius, low + margin, high - margin)
    return shells.center + rays * wanted[:, None]
