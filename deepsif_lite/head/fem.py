"""A head made by others with another method: finite elements of one subject.

Delatolas et al. (2023) segmented the MRI of subject A0206 into six tissues, calibrated
the conductivity of the skull, gave white matter its anisotropy, and solved for current
dipoles in gray matter with DUNEuro. Each dipole points along x, y or z of the MRI, a
third of them each. Here the template's cortex is put into that head: laid onto it by
the electrodes that both have, and each vertex takes the field of the dipoles around it,
turned to its normal. So the head, its tissues and its electrodes are the subject's, and
the folds are the template's.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from ..cortex.surface import Cortex, load_cortex
from ..recordings.positions import similarity
from ..recordings.published import fetch
from .caps import template_cap
from .electrodes import known_electrodes
from .model import HeadModel, assemble_head

_FOLDER = "fecnn/duneuropy/"
_DIPOLES = _FOLDER + "Data/dipoles_downsampled_5k.mat"
_ELECTRODES = _FOLDER + "Data/electrodes.elc"
_LEADFIELD = _FOLDER + "DataOut/leadfield_downsampled_5k.npy"
_MM = 1e-3  # the files count in mm, and potentials in V/(A mm)
_NEAREST = 8  # dipoles of each direction that a vertex takes its field from
_LEAST_DISTANCE = 1e-3  # m, added to all, so that none has all the weight


@lru_cache(maxsize=1)
def load_fem_head() -> HeadModel:
    """Load the finite-element head of subject A0206, for tests of mismatch.

    Returns
    -------
    head : HeadModel
        Named ``"fem-a0206"``: the 71 electrodes of the recording whose names belong
        to the 10-05 system, by the 994 parcels of the template. Its leadfield is
        relative to the mean over the subject's 73 electrodes, and its electrodes sit
        where they were measured, in the template's frame.

    Raises
    ------
    RecordingUnavailable
        The published files cannot be reached.

    References
    ----------
    Delatolas et al. (2023), EMBC.
    """
    from scipy.io import loadmat

    electrodes = read_elc(fetch(_ELECTRODES).read_text(encoding="utf-8"))
    dipoles = loadmat(fetch(_DIPOLES))["cd_matrix"].astype(float)
    gain = np.load(fetch(_LEADFIELD), allow_pickle=False) / _MM
    dipoles[:, :3] *= _MM
    known = known_electrodes()
    rows = [row for row, name in enumerate(electrodes) if name in known]
    ch_names = [list(electrodes)[row] for row in rows]
    measured = _MM * np.array([electrodes[name] for name in ch_names])
    nominal, cortex = template_cap(ch_names).sensors, load_cortex()
    vertex_gain = field_at(*_placed(cortex, nominal, measured), dipoles, gain[:, rows])
    placed = similarity(measured, measured, nominal)
    return assemble_head("fem-a0206", ch_names, placed, vertex_gain, cortex)


def read_elc(text: str) -> dict[str, list[float]]:
    """Read the names and positions of electrodes from the text of an ``.elc`` file.

    MNE-Python reads such files, but none that has a section of polygons.
    """
    _, _, below = text.partition("Positions\n")
    positions, _, below = below.partition("NumberPolygons")
    rows = [[float(x) for x in row.split()] for row in positions.splitlines()]
    names = below.partition("Labels\n")[2].split()
    return dict(zip(names, rows, strict=True))


def _placed(
    cortex: Cortex, nominal: NDArray, measured: NDArray
) -> tuple[NDArray, NDArray]:
    """Bring vertices and normals of the template into the subject's MRI frame."""
    vertices = similarity(cortex.vertices, nominal, measured)
    tips = similarity(cortex.vertices + cortex.normals, nominal, measured)
    normals = tips - vertices
    return vertices, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def field_at(
    places: NDArray, directions: NDArray, dipoles: NDArray, gain: NDArray
) -> NDArray:
    """Interpolate the field of dipoles at other places, in other directions.

    Parameters
    ----------
    places, directions : array of shape (n_places, 3)
        Meters; unit vectors.
    dipoles : array of shape (n_dipoles, 6)
        Position (m), then direction, along one of the axes each.
    gain : array of shape (n_dipoles, n_channels)
        Potentials of the dipoles.

    Returns
    -------
    array of shape (n_channels, n_places)
    """
    total = np.zeros((len(places), gain.shape[1]))
    for axis in range(3):
        along = dipoles[:, 3 + axis] == 1
        distance, near = cKDTree(dipoles[along, :3]).query(places, k=_NEAREST)
        weights = 1 / (distance + _LEAST_DISTANCE) ** 2
        weights *= directions[:, [axis]] / weights.sum(axis=1, keepdims=True)
        ends = np.arange(len(places) + 1) * _NEAREST
        shape = (len(places), along.sum())
        mixed = csr_array((weights.ravel(), near.ravel(), ends), shape=shape)
        total += mixed @ gain[along]
    return total.T
