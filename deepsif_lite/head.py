"""Head models: from activity of the parcels to potentials at the electrodes.

The template head is made of what pip installs: the pial surface of fsaverage5
(nilearn) and fsaverage's inner skull and scalp (MNE-Python). Its outer skull is put
between the two. Sources sit at the vertices of the pial surface, along its normals,
and a parcel's column is the sum over its vertices, as in Sun et al. 2022 (Methods,
"Forward Modeling").
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .bem import (
    BRAIN_CONDUCTIVITY,
    SKULL_RATIO,
    Shells,
    cast_rays,
    eeg_gain,
    geodesic_sphere,
)
from .cortex import Cortex, load_cortex
from .electrodes import (
    CHANNELS_75,
    biosemi_64,
    published_cap,
    template_positions,
)
from .paths import data_dir

if TYPE_CHECKING:
    from mne import Info

logger = logging.getLogger(__name__)

HEAD_MODELS = ("template-75", "template-64", "published-75")
# Points of each shell: 10 * 12**2 + 2 = 1442, edges of about 9 mm.
FREQUENCY = 12
# Of the head variants: 642 points, 1 % from the shipped fineness in a sixth of the time.
VARIANT_FREQUENCY = 8
SKULL_THICKNESS = 4e-3  # m, Brainstorm's value, which the published model used
SCALP_THICKNESS = 7e-3  # m, the least that is left outside the skull
_SFREQ = 500.0  # Hz, sampling rate of the published recordings
_LEAST_SCALP = 2e-3  # m, where even that is not free
_FLUID = 5e-3  # m, between the hull of the cortex and a skull made from it
_CLEARANCE = 1e-3  # m, least distance of the pial surface's hull to the inner skull


@dataclass(frozen=True, eq=False)
class HeadModel:
    """What the electrodes see of each parcel.

    Attributes
    ----------
    name : str
    leadfield : array of shape (n_channels, n_regions)
        Potential, in V, of a current dipole of 1 A m along the outward normal at
        *every* vertex of a parcel: V/(A m). Not average-referenced: each column is
        relative to the mean potential of the scalp. The published leadfield has
        the same unit up to its conductivity (Brainstorm's default takes 1 S/m for
        the brain, the template 0.33 S/m), so compare shapes, not sizes.
    ch_names : list of str
        Rows of ``leadfield``.
    info : mne.Info
        EEG channels with their 10-10 positions, head frame.
    cortex : Cortex
        Columns of ``leadfield``.
    electrodes : array of shape (n_channels, 3)
        Where the leadfield has its electrodes, metres, MRI (surface RAS) frame.
    vertex_gain : array of shape (n_channels, n_vertices) | None
        The same per vertex of the cortex (None where it is not stored).
    modality : {"eeg", "meg"}
        MEG has magnetometers for electrodes, T/(A m) for a unit, and no reference.
    """

    name: str
    leadfield: NDArray
    ch_names: list[str]
    info: Info
    cortex: Cortex
    electrodes: NDArray
    vertex_gain: NDArray | None = None
    modality: str = "eeg"

    @cached_property
    def depth(self) -> NDArray:
        """Distance of each parcel's centre to the nearest sensor, metres."""
        from scipy.spatial import cKDTree

        return cKDTree(self.electrodes).query(self.cortex.centroids)[0]

    @cached_property
    def sensitivity(self) -> NDArray:
        """Size of each parcel's topography, root mean square over channels.

        Shape (n_regions,). EEG: V/(A m) after average reference; MEG: T/(A m).
        """
        eeg = self.modality == "eeg"
        maps = average_reference(self.leadfield) if eeg else self.leadfield
        return np.sqrt((maps**2).mean(axis=0))

    def __repr__(self) -> str:
        n_channels, n_regions = self.leadfield.shape
        return f"<HeadModel {self.name}: {n_channels} channels, {n_regions} regions>"


def average_reference(potentials: NDArray) -> NDArray:
    """Subtract the mean over channels (first axis)."""
    return potentials - potentials.mean(axis=0)


def sum_over_parcels(vertex_gain: NDArray, cortex: Cortex) -> NDArray:
    """Add up the columns of each parcel's vertices.

    Parameters
    ----------
    vertex_gain : array of shape (n_channels, n_vertices)
    cortex : Cortex

    Returns
    -------
    array of shape (n_channels, n_regions)
    """
    from scipy.sparse import csr_array

    inside = np.flatnonzero(cortex.region_of_vertex >= 0)
    membership = csr_array(
        (np.ones(len(inside)), (cortex.region_of_vertex[inside], inside)),
        shape=(cortex.n_regions, vertex_gain.shape[1]),
    )
    return (membership @ vertex_gain.T.astype(float)).T


def topography_correlation(a: NDArray, b: NDArray) -> NDArray:
    """Correlate two leadfields column by column after average reference.

    Parameters
    ----------
    a, b : array of shape (n_channels, n_regions)

    Returns
    -------
    array of shape (n_regions,)
    """
    a, b = average_reference(a), average_reference(b)
    norms = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return (a * b).sum(axis=0) / norms


def load_head_model(
    name: str = "template-75", cortex: Cortex | None = None
) -> HeadModel:
    """Load a head model.

    Parameters
    ----------
    name : {"template-75", "template-64", "published-75"}
        Template head with the paper's 75 channels or BioSemi's 64, or the authors'
        own leadfield (downloaded).
    cortex : Cortex | None
        Parcels of a template model; None takes the 994 of :func:`load_cortex`.

    Returns
    -------
    head : HeadModel

    Raises
    ------
    ValueError
        The name is unknown, or a cortex is given to the published model.
    RecordingUnavailable
        The published files cannot be reached.
    """
    if name not in HEAD_MODELS:
        msg = f"name={name!r} is not a head model; choose from {list(HEAD_MODELS)}."
        raise ValueError(msg)
    if name == "published-75":
        if cortex is not None:
            msg = "cortex: the published leadfield has its own parcels; leave it out."
            raise ValueError(msg)
        return _published_head()
    if cortex is None:
        return _template_head(name, load_cortex())
    return _template_head(name, cortex)


@lru_cache(maxsize=4)
def _template_head(name: str, cortex: Cortex) -> HeadModel:
    stored = _stored_template()
    channels = CHANNELS_75 if name == "template-75" else biosemi_64()
    rows = [list(stored["ch_names"]).index(channel) for channel in channels]
    gain = stored["vertex_gain"][rows]
    electrodes = stored["electrodes"][rows]
    return _head_model(name, list(channels), electrodes, gain, cortex)


@lru_cache(maxsize=1)
def _stored_template() -> dict[str, NDArray]:
    with np.load(head_file("template.npz")) as stored:
        return {key: stored[key] for key in stored.files}


def _head_model(
    name: str,
    ch_names: list[str],
    electrodes: NDArray,
    vertex_gain: NDArray,
    cortex: Cortex,
) -> HeadModel:
    return HeadModel(
        name=name,
        leadfield=sum_over_parcels(vertex_gain, cortex),
        ch_names=ch_names,
        info=_info(ch_names, electrodes),
        cortex=cortex,
        electrodes=electrodes,
        vertex_gain=vertex_gain,
    )


@lru_cache(maxsize=1)
def _published_head() -> HeadModel:
    from scipy.io import loadmat

    from .recordings import fetch

    leadfield = loadmat(fetch("deepsif/anatomy/leadfield_75_20k.mat"))["fwd"]
    shells = load_shells()
    cap = published_cap(fiducials())
    ch_names = list(cap)
    nominal = template_positions(ch_names, fiducials()[1])
    return HeadModel(
        name="published-75",
        leadfield=leadfield.astype(float),
        ch_names=ch_names,
        info=_info(ch_names, shells.project(np.array(list(nominal.values())))),
        cortex=load_cortex("published"),
        electrodes=shells.project(np.array(list(cap.values()))),
    )


def _info(ch_names: list[str], electrodes: NDArray) -> Info:
    import mne

    left, nasion, right = fiducials()
    montage = mne.channels.make_dig_montage(
        dict(zip(ch_names, electrodes, strict=True)),
        nasion=nasion,
        lpa=left,
        rpa=right,
        coord_frame="mri",
    )
    info = mne.create_info(ch_names, sfreq=_SFREQ, ch_types="eeg", verbose=False)
    return info.set_montage(montage, verbose=False)


# ------------------------------------------------------------------ the template head


@lru_cache(maxsize=1)
def fiducials() -> NDArray:
    """Return left ear, nasion and right ear of fsaverage, metres, MRI frame."""
    import mne

    points, _ = mne.io.read_fiducials(_fsaverage("fiducials"), verbose=False)
    return np.array([point["r"] for point in points], dtype=float)


def _fsaverage(part: str) -> Path:
    import mne

    return Path(mne.__file__).parent / "data" / "fsaverage" / f"fsaverage-{part}.fif"


def load_shells() -> Shells:
    """Load the shells that the shipped leadfield was computed with.

    Returns
    -------
    shells : Shells
        What :func:`template_shells` builds, without building it.
    """
    stored = _stored_template()
    names = ("center", "directions", "faces", "inner_skull", "outer_skull", "scalp")
    return Shells(**{name: stored[name] for name in names})


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
        Metres, along the radius. The second is a lower bound.
    inner_skull : {"fsaverage", "hull"}
        fsaverage's own, or the convex hull of the cortex and 5 mm of fluid.

    Returns
    -------
    shells : Shells

    Raises
    ------
    ValueError
        ``inner_skull`` is neither of the two.
    """
    if inner_skull not in ("fsaverage", "hull"):
        msg = f"inner_skull={inner_skull!r} must be 'fsaverage' or 'hull'."
        raise ValueError(msg)
    import mne
    from scipy.spatial import ConvexHull

    inner, scalp = (
        mne.read_bem_surfaces(_fsaverage(part), verbose=False)[0]
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
        Where the electrodes are (metres, MRI frame; moved onto the scalp along the
        radius). None takes the 10-10 positions.
    cortex : Cortex | None
        Sources and parcels; None takes the 994 of :func:`load_cortex`.
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
    ValueError
        A channel has no position, the shells cross, or a source lies outside them.
    """
    cortex = load_cortex() if cortex is None else cortex
    shells = template_shells() if shells is None else shells
    if positions is None:
        positions = template_positions(channels, fiducials()[1])
    missing = [channel for channel in channels if channel not in positions]
    if missing:
        msg = f"positions: none for {missing}."
        raise ValueError(msg)
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
    return _head_model(name, list(channels), electrodes, gain, cortex)


def head_file(name: str, folder: Path | None = None) -> Path:
    """Return where a file of head models lies, or is to be stored.

    Parameters
    ----------
    name : str
        For example ``"template.npz"``.
    folder : pathlib.Path | None
        None: ``data/head`` of the package. Created where it is missing.

    Returns
    -------
    pathlib.Path
    """
    if folder is None:
        return data_dir() / "head" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def content_hash(arrays: dict[str, NDArray]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def store_template(folder: Path | None = None) -> Path:
    """Build the template head and store it as an artefact (about a minute on two cores).

    Run as ``python -m deepsif_lite.head``.

    Parameters
    ----------
    folder : pathlib.Path | None
        None: ``data/head`` of the package.

    Returns
    -------
    pathlib.Path
        ``template.npz`` with the gain of every vertex for the union of the channels
        of the template models, the electrodes, the shells and a content hash.
    """
    extra = tuple(name for name in biosemi_64() if name not in CHANNELS_75)
    head = build_head_model(channels=CHANNELS_75 + extra, n_jobs=2)
    shells = template_shells()
    arrays = {
        "ch_names": np.array(head.ch_names),
        "electrodes": head.electrodes,
        "vertex_gain": head.vertex_gain.astype(np.float32),
        "center": shells.center,
        "directions": shells.directions,
        "faces": shells.faces.astype(np.int32),
        "inner_skull": shells.inner_skull,
        "outer_skull": shells.outer_skull,
        "scalp": shells.scalp,
    }
    path = head_file("template.npz", folder)
    np.savez_compressed(path, sha256=np.array(content_hash(arrays)), **arrays)
    logger.info("stored %s", path)
    return path


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    store_template()
