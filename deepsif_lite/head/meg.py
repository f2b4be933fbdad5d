"""MEG: the magnetic field of the same sources at a helmet of magnetometers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..cortex.surface import load_cortex
from .bem import meg_gain
from .fsaverage import mri_to_head
from .model import SFREQ, HeadModel, sum_over_parcels
from .shells import Shells
from .template import VARIANT_FREQUENCY, template_shells

if TYPE_CHECKING:
    from mne import Info

MEG_HEAD = "template-meg-148"
N_MAGNETOMETERS = 148
_HELMET_GAP = 25e-3  # m from the scalp to the sensors
_HELMET_SHARE = 0.6  # of the sphere of directions that the helmet covers
_HELMET_TILT = 0.35  # rad, how much lower the helmet reaches at the back
_ARTIFACT = "head/meg.npz"


def load_meg_head() -> HeadModel:
    """Load the template head under a helmet of 148 magnetometers.

    The helmet is a construction: points spread evenly, 25 mm off the scalp, each
    measuring the field along the radius. It stands for systems of that size.

    Returns
    -------
    head : HeadModel
        ``modality="meg"``, leadfield in T/(A m).

    Raises
    ------
    ArtifactError
        The shipped leadfield is damaged.
    """
    stored = read_artifact(_ARTIFACT, "meg")
    places, directions = stored["places"], stored["directions"]
    ch_names = [f"MEG{k + 1:03d}" for k in range(len(places))]
    return HeadModel(
        name=MEG_HEAD,
        leadfield=stored["leadfield"].astype(float),
        ch_names=ch_names,
        info=_meg_info(ch_names, places, directions),
        cortex=load_cortex(),
        sensors=places,
        modality="meg",
    )


def _meg_info(ch_names: list[str], places: NDArray, directions: NDArray) -> Info:
    import mne

    to_head = mri_to_head()
    info = mne.create_info(ch_names, SFREQ, "mag", verbose=False)
    in_head = places @ to_head[:3, :3].T + to_head[:3, 3]
    normals = directions @ to_head[:3, :3].T
    for channel, place, normal in zip(info["chs"], in_head, normals, strict=True):
        # MNE wants position and three axes of the coil, the last along the field.
        across = np.linalg.svd(normal[None])[2][1:]
        channel["loc"][:3] = place
        channel["loc"][3:] = np.concatenate([*across, normal])
    # Device and head frame are the same here: no one moves in a simulation.
    info["dev_head_t"] = mne.transforms.Transform("meg", "head")
    return info


def helmet(shells: Shells, n_sensors: int = N_MAGNETOMETERS) -> tuple[NDArray, NDArray]:
    """Spread point magnetometers evenly around the upper head.

    Parameters
    ----------
    shells : Shells
    n_sensors : int

    Returns
    -------
    places, directions : array of shape (n_sensors, 3)
        Meters, MRI frame; unit vectors away from the head.
    """
    n_points = round(n_sensors / _HELMET_SHARE)
    k = np.arange(n_sensors) + 0.5
    # A spiral of equal areas from the crown down (Fibonacci sphere), tilted back.
    height = 1 - 2 * k / n_points
    angle = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    x, y = ring * np.cos(angle), ring * np.sin(angle)
    cos, sin = np.cos(_HELMET_TILT), np.sin(_HELMET_TILT)
    directions = np.column_stack([x, cos * y - sin * height, sin * y + cos * height])
    on_scalp = shells.project(shells.center + directions)
    return on_scalp + _HELMET_GAP * directions, directions


def store_meg(root: str | Path | None = None) -> Path:
    """Build the MEG leadfield and store it (a minute on one core)."""
    shells, cortex = template_shells(VARIANT_FREQUENCY), load_cortex()
    places, directions = helmet(shells)
    gain = meg_gain(shells, places, directions, cortex.vertices, cortex.normals)
    arrays = {
        "leadfield": sum_over_parcels(gain, cortex).astype(np.float32),
        "places": places,
        "directions": directions,
    }
    return write_arrays(artifact_path(_ARTIFACT, root), arrays)
