"""What the scan network knows before it learns: scalp maps of the cortex's patches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from ..cortex.dictionary import patch_dictionary, patch_strengths
from ..errors import MismatchError
from ..signals import referenced
from .portable import PatchTable
from .scalp_maps import NOISE_SHARE, source_whitener, unit_maps
from .sparse_product import sparse_pair, times_sparse

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels

# Weights of the seed, its neighbors, their neighbors, ... in the round patches
# that every parcel is scanned with.
PATCH_PROFILES = ((1.0,), (1.0, 0.9), (1.0, 0.9, 0.5), (1.0, 0.9, 0.7, 0.4))
NEIGHBORHOOD_RINGS = 3  # patches whose seed is this near compete for a parcel
_RIDGE = 1e-3  # of the mean power of a channel, where one montage predicts another
APART_RINGS = 4  # searches start from seeds farther apart than this
_SAME_MAPS = 2e-3  # two montages are one if no map differs more; weights are halves
_OF_CAP = ("whitener", "parcel_maps", "round_maps", "patch_maps", "translation")


class ScanGeometry(nn.Module):
    """Scalp maps of parcels and patches, and which parcels lie beside each other.

    Nothing here is learned. What belongs to the cortex is computed once
    (:meth:`compute`), what belongs to the electrodes for every cap anew
    (:meth:`set_leadfield`, some ten milliseconds). All but ``reference`` follow from
    the head model, so they are not stored with the weights.

    Parameters
    ----------
    n_channels, n_regions : int
        ``n_channels`` of the reference montage.
    n_shapes : int
        Patches of the dictionary that grow from each parcel.
    noise_share : float
        See :func:`deepsif_lite.network.source_whitener`.
    sizes : {"all", "published"}
        Of the dictionary's patches.
    n_rounds : int
        Sizes of the round patches, from the parcel alone up.
    modality : {"eeg", "meg"}
        Magnetometers have no reference.

    Attributes
    ----------
    reference : tensor of shape (n_regions, n_channels)
        Whitened scalp maps of the parcels on the montage the network was made for.
    translation : tensor of shape (n_channels of the cap, n_channels)
        Turns whitened maps of the cap into those of the reference montage.
    whitener : tensor of shape (n_channels of the cap, n_channels of the cap)
    parcel_maps : tensor of shape (n_regions, n_channels of the cap)
        Whitened scalp maps of the parcels, of norm one on average.
    round_maps : tensor of shape (n_rounds, n_regions, n_channels of the cap)
        Those of round patches, each of norm one.
    patch_maps : tensor of shape (n_regions * n_shapes, n_channels of the cap)
        Those of the dictionary's patches, each of norm one.
    members : tensor of bool, shape (n_regions * n_shapes, n_regions)
        Parcels of the dictionary's patches.
    adjacency : tensor of shape (n_regions, n_regions)
        1 for neighbors, which enter products.
    n_neighbors : tensor of shape (n_regions,)
    neighborhood : tensor of shape (n_regions, n_regions)
        1 where a patch that grows from one parcel may reach the other.
    far_apart : tensor of bool, shape (n_regions, n_regions)
        Where two parcels may both start a search.
    """

    reference: Tensor
    translation: Tensor

    def __init__(
        self,
        n_channels: int,
        n_regions: int,
        n_shapes: int,
        noise_share: float = NOISE_SHARE,
        sizes: str = "all",
        n_rounds: int = len(PATCH_PROFILES),
        modality: str = "eeg",
    ) -> None:
        super().__init__()
        self.n_regions, self.n_shapes = n_regions, n_shapes
        self.noise_share, self.sizes, self.n_rounds = noise_share, sizes, n_rounds
        self.modality = modality
        self.register_buffer("reference", torch.zeros(n_regions, n_channels))
        for name in ("members", "far_apart"):
            self.register_buffer(
                name, torch.zeros(0, dtype=torch.bool), persistent=False
            )
        for name in (*_OF_CAP, "adjacency", "n_neighbors", "neighborhood"):
            self.register_buffer(name, torch.zeros(0), persistent=False)
        self.is_set, self.uses_sparse = False, True
        self._sparse: dict[tuple, tuple[Tensor, Tensor]] = {}
        self._patches: tuple[csr_array, ...] = ()  # of the dictionary, and round ones
        self._leadfield: NDArray | None = None
        # Prepared leadfields and their maps; kept alive, so that no id is used twice.
        self._ahead: dict[int, tuple[NDArray, dict[str, Tensor]]] = {}

    def compute(self, leadfield: NDArray, cortex: Parcels) -> None:
        """Compute everything for one head model.

        Its montage becomes the reference, unless one came with the weights.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)
        cortex : Cortex

        Raises
        ------
        MismatchError
            They do not fit the sizes the network was made for.
        """
        self._check_regions(cortex.n_regions)
        members = patch_dictionary(cortex, self.n_shapes, sizes=self.sizes)
        profiles = PATCH_PROFILES[: self.n_rounds]
        rings = _rings(cortex.adjacency, max(APART_RINGS + 1, *map(len, profiles)))
        self._patches = (
            _patch_strengths(members, cortex),
            *(_round_strengths(profile, rings) for profile in profiles),
        )
        self._put("members", members)
        self._put("adjacency", cortex.adjacency)
        self._put("n_neighbors", cortex.adjacency.sum(axis=1))
        self._put("neighborhood", np.sum(rings[: NEIGHBORHOOD_RINGS + 1], axis=0))
        self._put("far_apart", np.sum(rings[: APART_RINGS + 1], axis=0) == 0)
        self._sparse, self._leadfield = {}, None
        self.set_leadfield(leadfield)
        self.is_set = True

    def set_leadfield(self, leadfield: NDArray) -> None:
        """Compute what belongs to the electrodes.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)
            Of the cortex that is known already.

        Raises
        ------
        MismatchError
            It has another number of regions, or the first one given, which becomes the
            reference, another number of channels.
        """
        if leadfield is self._leadfield:
            return
        if id(leadfield) not in self._ahead:
            self.prepare(leadfield)
        for name, values in self._ahead.pop(id(leadfield))[1].items():
            setattr(self, name, values)
        if not self.reference.any():
            self._check_channels(len(leadfield))
            self.reference = self.parcel_maps.clone()
        self.translation = self._translation()
        self._leadfield = leadfield

    def prepare(self, leadfield: NDArray) -> None:
        """Compute what :meth:`set_leadfield` will need, in another thread say.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)
        """
        self._check_regions(leadfield.shape[1])
        whitener = source_whitener(leadfield, self.noise_share, self.modality)
        white = referenced(whitener @ leadfield, self.modality)
        patches, *rounds = (unit_maps(white, weights) for weights in self._patches)
        maps = {
            "whitener": whitener,
            "parcel_maps": white.T / np.linalg.norm(white, axis=0).mean(),
            "round_maps": np.stack(rounds),
            "patch_maps": np.asfortranarray(patches),  # as products read it
        }
        buffers = {name: self._as_buffer(name, v) for name, v in maps.items()}
        self._ahead[id(leadfield)] = leadfield, buffers

    def serving(self, leadfield: NDArray) -> ScanGeometry:
        """Return the geometry of other electrodes, which shares what is not theirs.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)

        Raises
        ------
        MismatchError
            It has another number of regions.
        """
        other = copy.copy(self)
        other._buffers = dict(self._buffers)
        other.set_leadfield(leadfield)
        return other

    def _translation(self) -> Tensor:
        """Return what turns maps of the cap into those of the reference montage."""
        if self.reference.shape == self.parcel_maps.shape:
            difference = (self.reference - self.parcel_maps).abs().max()
            if difference < _SAME_MAPS * self.reference.abs().max():
                return torch.eye(len(self.whitener)).to(self.whitener)
        return _ridge_regression(self.parcel_maps.T, self.reference.T).T

    def _check_regions(self, n_regions: int) -> None:
        if n_regions == self.n_regions:
            return
        msg = (
            f"leadfield or cortex of {n_regions} regions do not fit a network of "
            f"{self.n_regions} regions; load the head model it was made for."
        )
        raise MismatchError(msg)

    def _check_channels(self, n_channels: int) -> None:
        if n_channels == self.reference.shape[1]:
            return
        msg = (
            f"leadfield of {n_channels} channels cannot be the first of a network made "
            f"for {self.reference.shape[1]} channels; give that of its own montage."
        )
        raise MismatchError(msg)

    def _put(self, name: str, values: NDArray) -> None:
        """Replace a buffer, whatever its size."""
        setattr(self, name, self._as_buffer(name, values))

    def _as_buffer(self, name: str, values: NDArray) -> Tensor:
        old = getattr(self, name)
        return torch.as_tensor(values).to(device=old.device, dtype=old.dtype)

    def fit(self, maps: Tensor) -> Tensor:
        """Return how well each patch of the dictionary fits into the span of maps.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_maps, n_channels)
            Orthonormal.

        Returns
        -------
        tensor of shape (n_samples, n_patches)
            Share of the patch's scalp map that lies in the span.
        """
        return (maps @ self.patch_maps.T).square().sum(1)

    def mean_over_neighbors(self, features: Tensor) -> Tensor:
        """Average features over the neighbors of each parcel.

        Parameters
        ----------
        features : tensor of shape (n_samples, n_regions, n_features)

        Returns
        -------
        tensor of the same shape
        """
        total = self.multiply(features.mT, "adjacency").mT
        return total / self.n_neighbors[:, None]

    def multiply(self, dense: Tensor, name: str) -> Tensor:
        """Multiply by one of the matrices that hold mostly zeros.

        Parameters
        ----------
        dense : tensor of shape (..., n_rows)
        name : {"members", "adjacency", "neighborhood"}

        Returns
        -------
        tensor of shape (..., n_regions)
        """
        matrix, dtype = getattr(self, name), self.parcel_maps.dtype
        if isinstance(matrix, PatchTable):
            return matrix.product(dense)
        if not self.uses_sparse:
            return dense @ matrix.to(dtype)
        key = name, matrix.device, dtype
        if key not in self._sparse:
            self._sparse[key] = sparse_pair(self._pattern(name), matrix.device, dtype)
        with torch.autocast(dense.device.type, enabled=False):
            return times_sparse(dense.to(dtype), self._sparse[key])

    def _pattern(self, name: str) -> csr_array:
        """Return where one of those matrices is 1; the rest of it is 0."""
        if name == "members":  # it is large, and known in this form
            return self._patches[0]
        return csr_array(getattr(self, name).cpu().numpy())

    def make_portable(self) -> None:
        """Do without sparse matrices, of which exported graphs know nothing."""
        table = PatchTable(self.members)
        self._buffers.pop("members")
        self._modules = {"members": table}
        self.uses_sparse = False

    def __deepcopy__(self, memo: dict) -> ScanGeometry:
        # Sparse tensors cannot be copied; a copy makes its own.
        other = copy.copy(self)
        other._sparse = {}
        other._buffers = copy.deepcopy(self._buffers, memo)
        return other

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_sparse": {}}


def _patch_strengths(members: NDArray, cortex: Parcels) -> csr_array:
    """Return the weights of each patch of a dictionary, without their zeros."""
    rows, columns = np.divmod(np.flatnonzero(members), cortex.n_regions)
    n_shapes = len(members) // cortex.n_regions
    values = patch_strengths(cortex)[rows // n_shapes, columns]
    ends = np.concatenate([[0], np.bincount(rows, minlength=len(members)).cumsum()])
    return csr_array((values, columns, ends), shape=members.shape)


def _round_strengths(profile: tuple[float, ...], rings: list[NDArray]) -> csr_array:
    """Return the weights of the round patch of each parcel."""
    pairs = zip(profile, rings, strict=False)
    return sum(weight * csr_array(ring, dtype=float) for weight, ring in pairs)


def _ridge_regression(ours: Tensor, theirs: Tensor) -> Tensor:
    """Return the matrix that predicts theirs from ours, both (n_channels, n_regions)."""
    gram = ours @ ours.T
    ridge = _RIDGE * gram.trace() / len(gram) * torch.eye(len(gram)).to(gram)
    return torch.linalg.solve(gram + ridge, ours @ theirs.T).T


def _rings(adjacency: NDArray, n_rings: int) -> list[NDArray]:
    """Parcels at 0, 1, 2, ... steps of each parcel."""
    reach = np.eye(len(adjacency), dtype=bool)
    rings, neighbors = [reach], csr_array(adjacency, dtype=np.float32)
    for _ in range(n_rings - 1):
        wider = reach | (neighbors @ rings[-1].astype(np.float32) > 0)
        rings.append(wider & ~reach)
        reach = wider
    return rings
