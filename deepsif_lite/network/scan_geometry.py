"""What the scan network knows before it learns: scalp maps of the cortex's patches."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..cortex.dictionary import patch_dictionary, patch_weights
from ..errors import MismatchError
from ..signals import average_reference
from .scalp_maps import NOISE_SHARE, source_whitener, unit_maps

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels

# Weights of the seed, its neighbors, their neighbors, ... in the round patches
# that every parcel is scanned with.
PATCH_PROFILES = ((1.0,), (1.0, 0.9), (1.0, 0.9, 0.5))
NEIGHBORHOOD_RINGS = 3  # patches whose seed is this near compete for a parcel
_RIDGE = 1e-3  # of the mean power of a channel, where one montage predicts another
APART_RINGS = 4  # searches start from seeds farther apart than this


class ScanGeometry(nn.Module):
    """Scalp maps of parcels and patches, and which parcels lie beside each other.

    Nothing here is learned, so nothing is stored with the weights: it follows from the
    head model, which a network is checked against before it is used.

    Parameters
    ----------
    n_channels, n_regions : int
    n_shapes : int
        Patches of the dictionary that grow from each parcel.
    noise_share : float
        See ``network.scalp_maps.source_whitener``.

    Attributes
    ----------
    whitener : tensor of shape (n_channels, n_channels)
    parcel_maps : tensor of shape (n_regions, n_channels)
        Whitened scalp maps of the parcels, of norm one on average.
    round_maps : tensor of shape (n_scales, n_regions, n_channels)
        Those of round patches, each of norm one.
    patch_maps : tensor of shape (n_regions * n_shapes, n_channels)
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

    def __init__(
        self,
        n_channels: int,
        n_regions: int,
        n_shapes: int,
        noise_share: float = NOISE_SHARE,
    ) -> None:
        super().__init__()
        self.n_regions, self.n_shapes = n_regions, n_shapes
        self.noise_share = noise_share
        n_patches, n_scales = n_regions * n_shapes, len(PATCH_PROFILES)
        sizes = {
            "whitener": (n_channels, n_channels),
            "parcel_maps": (n_regions, n_channels),
            "round_maps": (n_scales, n_regions, n_channels),
            "patch_maps": (n_patches, n_channels),
            "adjacency": (n_regions, n_regions),
            "n_neighbors": (n_regions,),
            "neighborhood": (n_regions, n_regions),
        }
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size), persistent=False)
        for name, size in {
            "members": (n_patches, n_regions),
            "far_apart": (n_regions, n_regions),
        }.items():
            empty = torch.zeros(size, dtype=torch.bool)
            self.register_buffer(name, empty, persistent=False)
        self.is_set, self.uses_sparse = False, True
        self._sparse: dict[tuple, tuple[Tensor, Tensor]] = {}

    def compute(self, leadfield: NDArray, cortex: Parcels) -> None:
        """Compute everything for one head model.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        cortex : Cortex

        Raises
        ------
        MismatchError
            They do not fit the sizes the network was made for.
        """
        self._check(leadfield, cortex)
        whitener = source_whitener(leadfield, self.noise_share)
        white = average_reference(whitener @ leadfield)
        members = patch_dictionary(cortex, self.n_shapes)
        n_rings = max(APART_RINGS + 1, *map(len, PATCH_PROFILES))
        rings = _rings(cortex.adjacency, n_rings)
        for row, profile in enumerate(PATCH_PROFILES):
            pairs = zip(profile, rings, strict=False)
            patch = np.sum([w * ring for w, ring in pairs], axis=0)
            _fill(self.round_maps[row], unit_maps(white, patch))
        _fill(self.whitener, whitener)
        _fill(self.parcel_maps, white.T / np.linalg.norm(white, axis=0).mean())
        _fill(self.patch_maps, unit_maps(white, patch_weights(cortex, members)))
        _fill(self.members, members)
        _fill(self.adjacency, cortex.adjacency)
        _fill(self.n_neighbors, cortex.adjacency.sum(axis=1))
        _fill(self.neighborhood, np.sum(rings[: NEIGHBORHOOD_RINGS + 1], axis=0))
        _fill(self.far_apart, np.sum(rings[: APART_RINGS + 1], axis=0) == 0)
        self.is_set, self._sparse = True, {}

    def _check(self, leadfield: NDArray, cortex: Parcels) -> None:
        n_regions, n_channels = self.parcel_maps.shape
        if leadfield.shape == (n_channels, n_regions) == (n_channels, cortex.n_regions):
            return
        msg = (
            f"leadfield {leadfield.shape} and cortex ({cortex.n_regions} regions) do not "
            f"fit a network of {n_channels} channels and {n_regions} regions; load the "
            "head model it was made for."
        )
        raise MismatchError(msg)

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

    def translation_to(self, other: ScanGeometry, matching: NDArray) -> Tensor:
        """Return the matrix that turns our scalp maps into those of another head.

        Both leadfields show the same sources to their montages; the matrix is the
        ridge regression between them.

        Parameters
        ----------
        other : ScanGeometry
        matching : array of int, shape (n_regions,)
            Its parcel for each of ours.

        Returns
        -------
        tensor of shape (n_channels of the other, n_channels)
        """
        return _ridge_regression(self.parcel_maps.T, other.parcel_maps[matching].T)

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
        if not self.uses_sparse:
            return dense @ matrix.to(dtype)
        key = name, matrix.device, dtype
        if key not in self._sparse:
            self._sparse[key] = _sparse(matrix.to(dtype))
        with torch.autocast(dense.device.type, enabled=False):
            return _SparseProduct.apply(dense.to(dtype), *self._sparse[key])

    def __getstate__(self) -> dict:
        # Sparse tensors cannot be copied; a copy makes its own.
        return {**self.__dict__, "_sparse": {}}


class _SparseProduct(torch.autograd.Function):
    """A dense array times a constant sparse matrix."""

    @staticmethod
    def forward(ctx, dense: Tensor, transposed: Tensor, matrix: Tensor) -> Tensor:
        ctx.matrix = matrix
        return _times_sparse(dense, transposed)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return _times_sparse(gradient, ctx.matrix), None, None


def _sparse(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sparse form of the transpose, and that of the matrix."""
    with warnings.catch_warnings():
        # torch calls the formats beta; what is used of them is tested.
        warnings.filterwarnings("ignore", "Sparse CS[RC]")
        rows = matrix.to_sparse_csr()
        columns = rows.to_sparse_csc()  # ten times as quick as from a dense transpose
        return (
            _csr(
                columns.ccol_indices(), columns.row_indices(), columns, matrix.T.shape
            ),
            _csr(rows.crow_indices(), rows.col_indices(), rows, matrix.shape),
        )


def _csr(ends: Tensor, columns: Tensor, stored: Tensor, shape: torch.Size) -> Tensor:
    """Return a matrix with indices of 32 bits, as the product wants them."""
    return torch.sparse_csr_tensor(
        ends.int(), columns.int(), stored.values(), shape, check_invariants=True
    )


def _times_sparse(dense: Tensor, transposed: Tensor) -> Tensor:
    """Multiply ``dense @ transposed.T``."""
    columns = dense.flatten(0, -2).T.contiguous()
    return torch.sparse.mm(transposed, columns).T.unflatten(0, dense.shape[:-1])


def _ridge_regression(ours: Tensor, theirs: Tensor) -> Tensor:
    """Return the matrix that predicts theirs from ours, both (n_channels, n_regions)."""
    gram = ours @ ours.T
    ridge = _RIDGE * gram.trace() / len(gram) * torch.eye(len(gram))
    return torch.linalg.solve(gram + ridge, ours @ theirs.T).T


def _rings(adjacency: NDArray, n_rings: int) -> list[NDArray]:
    """Parcels at 0, 1, 2, ... steps of each parcel."""
    reach = np.eye(len(adjacency), dtype=bool)
    rings = [reach]
    for _ in range(n_rings - 1):
        wider = reach | (reach.astype(np.float32) @ adjacency > 0)
        rings.append(wider & ~reach)
        reach = wider
    return rings


def _fill(buffer: Tensor, values: NDArray) -> None:
    buffer.copy_(torch.as_tensor(np.ascontiguousarray(values)))
