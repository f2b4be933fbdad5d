"""Head models: from activity of the parcels to potentials at the electrodes.

The template head is made of what pip installs: the pial surface of fsaverage5
(nilearn) and fsaverage's inner skull and scalp (MNE-Python). Its outer skull is put
between the two. Sources sit at the vertices of the pial surface, along its normals,
and a parcel's column is the sum over its vertices, as in Sun et al. 2022 (Methods,
"Forward Modeling").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_artifact
from ..cortex.surface import Cortex, load_cortex
from ..errors import MismatchError, check_option
from ..signals import average_reference
from .electrodes import CHANNELS_75, biosemi_64, published_cap, template_positions
from .fsaverage import fiducials
from .shells import Shells

if TYPE_CHECKING:
    from mne import Info

# Names of the head models that are read, not built.
HEAD_MODELS = ("template-75", "template-64", "published-75")
_SFREQ = 500.0  # Hz, sampling rate of the published recordings


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
    sensors : array of shape (n_channels, 3)
        Where the leadfield has its electrodes, or magnetometers; meters, MRI (surface
        RAS) frame.
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
    sensors: NDArray
    vertex_gain: NDArray | None = None
    modality: str = "eeg"

    @cached_property
    def depth(self) -> NDArray:
        """Distance of each parcel's center to the nearest sensor, meters."""
        from scipy.spatial import cKDTree

        return cKDTree(self.sensors).query(self.cortex.centroids)[0]

    @cached_property
    def referenced_leadfield(self) -> NDArray:
        """The leadfield as it is compared with data, shape (n_channels, n_regions).

        EEG: average-referenced, V/(A m); MEG: the leadfield itself, T/(A m).
        """
        return (
            average_reference(self.leadfield)
            if self.modality == "eeg"
            else self.leadfield
        )

    @cached_property
    def sensitivity(self) -> NDArray:
        """Size of each parcel's topography, root mean square over channels.

        Shape (n_regions,). EEG: V/(A m) after average reference; MEG: T/(A m).
        """
        return np.sqrt((self.referenced_leadfield**2).mean(axis=0))

    def __repr__(self) -> str:
        n_channels, n_regions = self.leadfield.shape
        return f"<HeadModel {self.name}: {n_channels} channels, {n_regions} regions>"


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
        Parcels of a template model; None takes the 994 of :func:`deepsif_lite.load_cortex`.

    Returns
    -------
    head : HeadModel

    Raises
    ------
    OptionError
        The name is unknown.
    MismatchError
        A cortex is given to the published model.
    RecordingUnavailable
        The published files cannot be reached.
    ArtifactError
        The shipped head model is damaged.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-64")
    >>> head.leadfield.shape
    (64, 994)
    >>> head.ch_names[:3]
    ['Fp1', 'AF7', 'AF3']
    """
    check_option("name", name, HEAD_MODELS)
    if name == "published-75":
        if cortex is not None:
            msg = "cortex: the published leadfield has its own parcels; leave it out."
            raise MismatchError(msg)
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
    return assemble_head(name, list(channels), electrodes, gain, cortex)


@lru_cache(maxsize=1)
def _stored_template() -> dict[str, NDArray]:
    return read_artifact("head/template.npz", "head")


def assemble_head(
    name: str,
    ch_names: list[str],
    electrodes: NDArray,
    vertex_gain: NDArray,
    cortex: Cortex,
) -> HeadModel:
    """Put a head model together from the gain of every vertex.

    Parameters
    ----------
    name : str
    ch_names : list of str
    electrodes : array of shape (n_channels, 3)
        On the scalp, meters, MRI frame.
    vertex_gain : array of shape (n_channels, n_vertices)
        V/(A m).
    cortex : Cortex
    """
    return HeadModel(
        name=name,
        leadfield=sum_over_parcels(vertex_gain, cortex),
        ch_names=ch_names,
        info=_info(ch_names, electrodes),
        cortex=cortex,
        sensors=electrodes,
        vertex_gain=vertex_gain,
    )


@lru_cache(maxsize=1)
def _published_head() -> HeadModel:
    from scipy.io import loadmat

    from ..recordings.published import fetch

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
        sensors=shells.project(np.array(list(cap.values()))),
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
