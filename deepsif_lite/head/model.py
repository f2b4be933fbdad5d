"""Head models: from activity of the parcels to potentials at the electrodes.

The template head is made of what pip installs: the pial surface of fsaverage5
(nilearn) and fsaverage's inner skull and scalp (MNE-Python). Its outer skull is put
between the two. Sources sit at the vertices of the pial surface, along its normals,
and a parcel's column is the sum over its vertices, as in Sun et al. 2022 (Methods,
"Forward Modeling").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_artifact
from ..cortex.surface import Cortex
from ..errors import ChannelError
from ..signals import average_reference, referenced
from .fsaverage import fiducials
from .shells import Shells

if TYPE_CHECKING:
    from mne import Info

SFREQ = 500.0  # Hz, sampling rate of the published recordings


@dataclass(frozen=True, eq=False)
class HeadModel:
    """What the electrodes record of each parcel.

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
        return referenced(self.leadfield, self.modality)

    @cached_property
    def sensitivity(self) -> NDArray:
        """Size of each parcel's topography, root mean square over channels.

        Shape (n_regions,). EEG: V/(A m) after average reference; MEG: T/(A m).
        """
        return np.sqrt((self.referenced_leadfield**2).mean(axis=0))

    def pick(self, ch_names: Sequence[str]) -> HeadModel:
        """Keep some of the channels.

        Parameters
        ----------
        ch_names : sequence of str
            Which, and their order.

        Returns
        -------
        HeadModel
            This one if nothing changes.

        Raises
        ------
        ChannelError
            It has no such channel.
        """
        import mne

        if list(ch_names) == list(self.ch_names):
            return self
        unknown = [name for name in ch_names if name not in self.ch_names]
        if unknown:
            msg = f"ch_names: head {self.name!r} has no {unknown}; leave them out."
            raise ChannelError(msg)
        rows = [self.ch_names.index(name) for name in ch_names]
        vertex_gain = None if self.vertex_gain is None else self.vertex_gain[rows]
        return replace(
            self,
            leadfield=self.leadfield[rows],
            ch_names=list(ch_names),
            info=mne.pick_info(self.info, rows, verbose="error"),
            sensors=self.sensors[rows],
            vertex_gain=vertex_gain,
        )

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


@lru_cache(maxsize=1)
def stored_template() -> dict[str, NDArray]:
    """Read the arrays of the template head."""
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
        info=electrode_info(ch_names, electrodes),
        cortex=cortex,
        sensors=electrodes,
        vertex_gain=vertex_gain,
    )


def electrode_info(ch_names: list[str], electrodes: NDArray) -> Info:
    """Describe electrodes, (n_channels, 3) in m in fsaverage's MRI frame, for MNE."""
    import mne

    left, nasion, right = fiducials()
    montage = mne.channels.make_dig_montage(
        dict(zip(ch_names, electrodes, strict=True)),
        nasion=nasion,
        lpa=left,
        rpa=right,
        coord_frame="mri",
    )
    info = mne.create_info(ch_names, sfreq=SFREQ, ch_types="eeg", verbose=False)
    return info.set_montage(montage, verbose=False)


# ------------------------------------------------------------------ the template head


def load_shells() -> Shells:
    """Load the shells that the shipped leadfield was computed with.

    Returns
    -------
    shells : Shells
        What :func:`template_shells` builds, without building it.
    """
    stored = stored_template()
    names = ("center", "directions", "faces", "inner_skull", "outer_skull", "scalp")
    return Shells(**{name: stored[name] for name in names})
