"""The template head, computed from what pip installs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, write_arrays
from ..cortex.surface import Cortex, load_cortex
from ..errors import ChannelError, check_option
from ..mesh import cast_rays, geodesic_sphere
from .bem import BRAIN_CONDUCTIVITY, SKULL_RATIO, eeg_gain
from .electrodes import CHANNELS_75, biosemi_64, template_positions
from .fsaverage import fiducials, fsaverage_file
from .model import HeadModel, assemble_head, load_shells, sum_over_parcels
from .shells import Shells

# Points of each shell: 10 * 12**2 + 2 = 1442, edges of about 9 mm.
FREQUENCY = 12
# Of the head variants: 642 points, 1 % from the shipped fineness in a sixth of the time.
VARIANT_FREQUENCY = 8
SKULL_THICKNESS = 4e-3  # m; Brainstorm's value, which the published model used.
SCALP_THICKNESS = 7e-3  # m, the least that is left outside the skull
_LEAST_SCALP = 2e-3  # m, where even that is not free
_FLUID = 5e-3  # m, between the hull of the cortex and a skull made from it
_CLEARANCE = 1e-3  # m, least distance of the pial surface's hull to the inner skull


@lru_cache(maxsize=4)
def template_shells(
    frequency: int = FREQUENCY,
    *,
    skull_thickness: float = SKULL_THICKNESS,
    scalp_thickness: float = SCALP_THICKNESS,
    inner_skull: str = "fsaverage",
) -> Shells:
    """Build the three shells of the template head.

    The inner skull is pushed out where it comes closer than 1 mm to the convex hull
    of the cortex and pulled in where skull and scalp need the room. The outer skull
    lies ``skull_thickness`` outside it.

    Parameters
    ----------
    frequency : int
        Fineness: each shell has ``10 * frequency**2 + 2`` points.
    skull_thickness, scalp_thickness : float
        Meters, along the radius. The second is a lower bound.
    inner_skull : {"fsaverage", "hull"}
        fsaverage's own, or the convex hull of the cortex and 5 mm of fluid.

    Returns
    -------
    shells : Shells

    Raises
    ------
    OptionError
        ``inner_skull`` is neither of the two.
    """
    check_option("inner_skull", inner_skull, ("fsaverage", "hull"))
    import mne
    from scipy.spatial import ConvexHull

    inner, scalp = (
        mne.read_bem_surfaces(fsaverage_file(part), verbose=False)[0]
        for part in ("inner_skull-bem", "head")
    )
    center = inner["rr"].mean(axis=0)
    directions, faces = geodesic_sphere(frequency)
    pial = load_cortex().vertices - center
    hull = cast_rays(directions, pial, ConvexHull(pial).simplices)
    if inner_skull == "hull":
        skull = hull + _FLUID
    else:
        skull = cast_rays(directions, inner["rr"] - center, inner["tris"])
    skin = cast_rays(directions, scalp["rr"] - center, scalp["tris"])
    room = skin - skull_thickness - scalp_thickness
    brain = np.maximum(np.minimum(skull, room), hull + _CLEARANCE)
    outer_skull = brain + skull_thickness
    # Where the hull leaves too little room the scalp gives way, not the skull.
    return Shells(
        center=center,
        directions=directions,
        faces=faces,
        inner_skull=brain,
        outer_skull=outer_skull,
        scalp=np.maximum(skin, outer_skull + _LEAST_SCALP),
    )


def build_head_model(
    *,
    name: str = "custom",
    channels: tuple[str, ...] = CHANNELS_75,
    positions: dict[str, NDArray] | None = None,
    cortex: Cortex | None = None,
    shells: Shells | None = None,
    conductivity: float = BRAIN_CONDUCTIVITY,
    skull_ratio: float = SKULL_RATIO,
    n_jobs: int = 1,
) -> HeadModel:
    """Compute a head model (needs OpenMEEG).

    It takes about a minute on two cores. Coarser shells, ``template_shells(8)``, take
    a third of that and differ by 1 % from the shipped model.

    Parameters
    ----------
    name : str
        Name of the result.
    channels : tuple of str
        Electrode names, in the order of the rows.
    positions : dict of str to array of shape (3,) | None
        Where the electrodes are (meters, MRI frame; moved onto the scalp along the
        radius). None takes the 10-10 positions.
    cortex : Cortex | None
        Sources and parcels; None takes the 994 of :func:`deepsif_lite.load_cortex`.
    shells : Shells | None
        None takes :func:`template_shells`.
    conductivity : float
        Of brain and scalp, S/m.
    skull_ratio : float
        Skull conductivity over brain conductivity.
    n_jobs : int
        Processes; the result does not depend on it.

    Returns
    -------
    head : HeadModel

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    ChannelError
        A channel has no position.
    MismatchError
        The shells cross, or a source lies outside them.
    """
    cortex = load_cortex() if cortex is None else cortex
    shells = template_shells() if shells is None else shells
    if positions is None:
        positions = template_positions(channels, fiducials()[1])
    missing = [channel for channel in channels if channel not in positions]
    if missing:
        msg = f"positions: none for {missing}; add them or leave these channels out."
        raise ChannelError(msg)
    electrodes = shells.project(np.array([positions[c] for c in channels]))
    gain = eeg_gain(
        shells,
        electrodes,
        cortex.vertices,
        cortex.normals,
        conductivity=conductivity,
        skull_ratio=skull_ratio,
        n_jobs=n_jobs,
    )
    return assemble_head(name, list(channels), electrodes, gain, cortex)


def store_scalp(root: str | Path | None = None) -> Path:
    """Compute the potentials at the scalp's vertices and store them (minutes).

    They are of the 994 parcels of the template, on the shells of ``head/template.npz``.
    """
    shells, cortex = load_shells(), load_cortex()
    vertices = shells.surface("scalp")
    gain = eeg_gain(shells, vertices, cortex.vertices, cortex.normals, n_jobs=2)
    potentials = sum_over_parcels(gain, cortex).astype(np.float32)
    return write_arrays(
        artifact_path("head/scalp.npz", root), {"potentials": potentials}
    )


def store_template(root: str | Path | None = None) -> Path:
    """Build the template head and store it (about a minute on two cores).

    With the gain of every vertex for all channels of the template models, the
    electrodes and the shells.
    """
    extra = tuple(name for name in biosemi_64() if name not in CHANNELS_75)
    head = build_head_model(channels=CHANNELS_75 + extra, n_jobs=2)
    shells = template_shells()
    arrays = {
        "ch_names": np.array(head.ch_names),
        "electrodes": head.sensors,
        "vertex_gain": np.asarray(head.vertex_gain, np.float32),
        "center": shells.center,
        "directions": shells.directions,
        "faces": shells.faces.astype(np.int32),
        "inner_skull": shells.inner_skull,
        "outer_skull": shells.outer_skull,
        "scalp": shells.scalp,
    }
    return write_arrays(artifact_path("head/template.npz", root), arrays)
