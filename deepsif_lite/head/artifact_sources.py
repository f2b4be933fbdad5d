"""Sources of the EEG that are not cortex: eyes and muscles, as dipoles in the scalp.

Eyes and the muscles of temple, jaw, forehead and neck lie between skull and skin,
which in a head of three shells is the scalp compartment. OpenMEEG takes dipoles there,
so their fields come from the same boundary elements as those of the cortex. Eyes as
dipoles, one in each eyeball, are the model of Berg and Scherg (1991, "Dipole models of
eye movements and blinks").

Beside the analytic solution of spheres with as many triangles, dipoles as deep as the
eyes are right to 8 % (correlation above 0.996), and so are dipoles along the skin in
the middle of a scalp of 7 mm (9 %). A dipole across a scalp that thin is not (86 %), so
take those of muscles along the skin, as their fibers are.

The fields are known all over the scalp, see :mod:`deepsif_lite.head.scalp`, so any cap
reads them in milliseconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..mesh import geodesic_sphere
from .bem import eeg_gain
from .fsaverage import fiducials
from .model import load_shells
from .scalp import ScalpPotentials
from .shells import Shells

_ARTIFACT = "head/artifacts.npz"
# Centers of the eyeballs: half the distance between the pupils of adults (62 to 64 mm)
# aside, and how far the middle of the globe lies behind the nasion.
_EYE_ASIDE = 32e-3  # m
_EYE_BEHIND = 22e-3  # m
_EYE_SPREAD = 4e-3  # m, how far eyes of other people are from there
_EYE_MOVES = np.array(
    [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
)
_MUSCLE_FREQUENCY = 6  # directions of the muscle sites: 362 all over, 15 mm apart
_MUSCLE_DEPTH = 12e-3  # m below the skin, at most
# Where muscles are, as directions from the center of the head in the axes right,
# front, top, and how wide (cosine of the half-angle); the left side is alike.
_MUSCLES = {
    "temporal": ((1.0, 0.25, -0.05), 0.90),
    "masseter": ((0.75, 0.45, -0.55), 0.92),
    "frontal": ((0.35, 0.90, 0.25), 0.90),
    "neck": ((0.35, -0.80, -0.55), 0.85),
}
# Near a surface its triangles are too coarse for the field of a dipole.
_MARGIN = 0.25  # of the thickness of the scalp


@dataclass(frozen=True, eq=False)
class ArtifactSites:
    """Places of dipoles that are not cortex.

    Attributes
    ----------
    kind : array of str, shape (n_sites,)
        ``"eye"``, ``"temporal"``, ``"masseter"``, ``"frontal"`` or ``"neck"``.
    variant : array of int, shape (n_sites,)
        Which displacement of the eyes; a left and a right eye share each. 0 elsewhere.
    positions : array of shape (n_sites, 3)
        Meters, MRI frame, in the scalp compartment.
    outward : array of shape (n_sites, 3)
        Unit vectors away from the center of the head, close to the normal of the skin.
    """

    kind: NDArray
    variant: NDArray
    positions: NDArray
    outward: NDArray


_PARTS = fields(ArtifactSites)


@dataclass(frozen=True, eq=False)
class ArtifactSources:
    """Fields of eyes and muscles at any electrodes of the template head.

    Attributes
    ----------
    sites : ArtifactSites
    scalp : ScalpPotentials
        One column for each axis (right, front, top) of each site, in that order.
    """

    sites: ArtifactSites
    scalp: ScalpPotentials

    def at(self, electrodes: ArrayLike) -> NDArray:
        """Return the potentials of unit dipoles at electrodes.

        Parameters
        ----------
        electrodes : array of shape (n_channels, 3)
            Meters, MRI frame; moved onto the scalp along the radius.

        Returns
        -------
        array of shape (n_channels, n_sites, 3)
            V/(A m), relative to the mean over the scalp; the last axis is the
            direction of the dipole: right, front, top.
        """
        potentials = self.scalp.at(electrodes)
        return potentials.reshape(len(potentials), -1, 3)


@lru_cache(maxsize=1)
def load_artifact_sources() -> ArtifactSources:
    """Load the fields of eyes and muscles on the template head.

    Returns
    -------
    ArtifactSources

    Raises
    ------
    ArtifactError
        The shipped file is damaged.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.head import load_artifact_sources
    >>> head = dl.load_head_model("template-75")
    >>> load_artifact_sources().at(head.sensors).shape
    (75, 155, 3)
    """
    stored = read_artifact(_ARTIFACT, "artifacts")
    sites = ArtifactSites(**{each.name: stored[each.name] for each in _PARTS})
    potentials = stored["shares"].astype(float) * stored["scales"]
    return ArtifactSources(sites, ScalpPotentials(load_shells(), potentials))


def store_artifact_sources(root: str | Path | None = None) -> Path:
    """Compute the fields of eyes and muscles and store them (minutes).

    Fields are on the shells of ``head/template.npz``, as shares of the largest magnitude
    of each dipole, which half precision holds to 0.05 %.
    """
    shells = load_shells()
    sites = place_artifacts(shells)
    gain = eeg_gain(
        shells,
        shells.surface("scalp"),
        np.repeat(sites.positions, 3, axis=0),
        np.tile(np.eye(3), (len(sites.positions), 1)),
        compartment="scalp",
        n_jobs=2,
    )
    scales = np.abs(gain).max(axis=0)
    arrays = {
        **asdict(sites),
        "shares": (gain / scales).astype(np.float16),
        "scales": scales,
    }
    return write_arrays(artifact_path(_ARTIFACT, root), arrays)


# -------------------------------------------------------------------- placing them


def place_artifacts(shells: Shells) -> ArtifactSites:
    """Place eyes and muscles between the skull and the skin of a head.

    Parameters
    ----------
    shells : Shells
        In fsaverage's frame, whose landmarks say where the eyes are.

    Returns
    -------
    ArtifactSites
    """
    eyes, variant = _eyes()
    directions, kind = _muscles()
    low, high = _scalp_borders(shells, directions)
    depth = np.minimum((high - low) / 2, _MUSCLE_DEPTH)
    muscles = shells.center + directions * (high - depth)[:, None]
    positions = np.concatenate([_into_scalp(shells, eyes), muscles])
    outward = positions - shells.center
    return ArtifactSites(
        kind=np.concatenate([np.full(len(eyes), "eye"), kind]),
        variant=np.concatenate([variant, np.zeros(len(muscles), int)]),
        positions=positions,
        outward=outward / np.linalg.norm(outward, axis=1, keepdims=True),
    )


def _eyes() -> tuple[NDArray, NDArray]:
    """Return left eyes, then right ones, and the displacement of each."""
    right = np.array([_EYE_ASIDE, -_EYE_BEHIND, 0]) + _EYE_SPREAD * _EYE_MOVES
    nasion = fiducials()[1] * (0, 1, 1)  # in the middle
    eyes = np.concatenate([right * (-1, 1, 1), right]) + nasion
    return eyes, np.tile(np.arange(len(right)), 2)


def _muscles() -> tuple[NDArray, NDArray]:
    """Return directions in which muscles lie, and which; the nearest takes each."""
    directions, _ = geodesic_sphere(_MUSCLE_FREQUENCY)
    axes = np.array([axis for axis, _ in _MUSCLES.values()])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    on_right = np.column_stack([np.abs(directions[:, 0]), directions[:, 1:]])
    cosines = on_right @ axes.T
    cosines[cosines < [width for _, width in _MUSCLES.values()]] = 0
    inside = cosines.any(axis=1)
    return directions[inside], np.array(list(_MUSCLES))[cosines[inside].argmax(axis=1)]


def _scalp_borders(shells: Shells, rays: NDArray) -> tuple[NDArray, NDArray]:
    return shells.radius("outer_skull", rays), shells.radius("scalp", rays)


def _into_scalp(shells: Shells, points: NDArray) -> NDArray:
    """Move points along their radius into the scalp compartment, off its borders."""
    rays = points - shells.center
    radius = np.linalg.norm(rays, axis=1)
    rays = rays / radius[:, None]
    low, high = _scalp_borders(shells, rays)
    margin = _MARGIN * (high - low)
    return shells.center + rays * np.clip(radius, low + margin, high - margin)[:, None]
