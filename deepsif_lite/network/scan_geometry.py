"""What the scan network knows before it learns: how cortex looks from the scalp."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..cortex.dictionary import patch_dictionary, patch_weights
from ..signals import average_reference
from .scalp_maps import NOISE_SHARE, source_whitener, unit_maps

if TYPE_CHECKING:
    from ..cortex.surface import Cortex

# Weights of the seed, its neighbors, their neighbors, ... in the round patches
# that every parcel is scanned with.
PATCH_PROFILES = ((1.0,), (1.0, 0.9), (1.0, 0.9, 0.5))
NEAR_RINGS = 3  # patches whose seed is no farther than this compete for a parcel
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
        See :func:`~deepsif_lite.network.source_whitener`.
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
            "adjacency": (n_regions, n_regions),  # 1 or 0: they enter products
            "degree": (n_regions,),
            "near": (n_regions, n_regions),
        }
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size), persistent=False)
        for name, size in {
            "members": (n_patches, n_regions),
            "apart": (n_regions, n_regions),
        }.items():
            empty = torch.zeros(size, dtype=torch.bool)
            self.register_buffer(name, empty, persistent=False)
        self.is_set = False
        self._sparse: dict[tuple, tuple[Tensor, Tensor]] = {}

    def set(self, leadfield: NDArray, cortex: Cortex) -> None:
        """Compute everything for one head model.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        cortex : Cortex

        Raises
        ------
        ValueError
            They do not fit the sizes the network was made for.
        """
        self._check(leadfield, cortex)
        whitener = source_whitener(leadfield, self.noise_share)
        white = average_reference(whitener @ leadfield)
        members = patch_dictionary(cortex, self.n_shapes)
        rings = _rings(cortex.adjacency, max(map(len, PATCH_PROFILES)))
        for row, profile in enumerate(PATCH_PROFILES):
            patch = sum(w * ring for w, ring in zip(profile, rings, strict=False))
            _fill(self.round_maps[row], unit_maps(white, patch))
        _fill(self.whitener, whitener)
        _fill(self.parcel_maps, white.T / np.linalg.norm(white, axis=0).mean())
        _fill(self.patch_maps, unit_maps(white, patch_weights(cortex, members)))
        _fill(self.members, members)
        _fill(self.adjacency, cortex.adjacency)
        _fill(self.degree, cortex.adjacency.sum(axis=1))
        _fill(self.near, sum(_rings(cortex.adjacency, NEAR_RINGS + 1)))
        _fill(self.apart, sum(_rings(cortex.adjacency, APART_RINGS + 1)) == 0)
        self.is_set, self._sparse = True, {}

    def _check(self, leadfield: NDArray, cortex: Cortex) -> None:
        n_regions, n_channels = self.parcel_maps.shape
        if leadfield.shape == (n_channels, n_regions) == (n_channels, cortex.n_regions):
            return
        msg = (
            f"leadfield {leadfield.shape} and cortex ({cortex.n_regions} regions) do not "
            f"fit a network of {n_channels} channels and {n_regions} regions; load the "
            "head model it was made for."
        )
        raise ValueError(msg)

    def mean_over_neighbors(self, features: Tensor) -> Tensor:
        """Average features over the neighbors of each parcel.

        Parameters
        ----------
        features : tensor of shape (n_samples, n_regions, n_features)

        Returns
        -------
        tensor of the same shape
        """
        total = self.times(features.mT, "adjacency").mT
        return total / self.degree[:, None]

    def times(self, dense: Tensor, name: str) -> Tensor:
        """Multiply by one of the matrices that hold mostly zeros.

        Parameters
        ----------
        dense : tensor of shape (..., n_rows)
        name : {"members", "adjacency", "near"}

        Returns
        -------
        tensor of shape (..., n_regions)
        """
        matrix, dtype = getattr(self, name), self.parcel_maps.dtype
        key = name, matrix.device, dtype
        if key not in self._sparse:
            matrix = matrix.to(dtype)
            self._sparse[key] = _sparse(matrix.T), _sparse(matrix)
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


def _sparse(matrix: Tensor) -> Tensor:
    with warnings.catch_warnings():
        # torch calls the format beta; what is used of it is tested.
        warnings.filterwarnings("ignore", "Sparse CSR")
        wide = matrix.to_sparse_csr()
        # Indices of 32 bits, as the product wants them.
        indices = wide.crow_indices().int(), wide.col_indices().int()
        return torch.sparse_csr_tensor(
            *indices, wide.values(), wide.shape, check_invariants=True
        )


def _times_sparse(dense: Tensor, transposed: Tensor) -> Tensor:
    """Multiply ``dense @ transposed.T``."""
    columns = dense.flatten(0, -2).T.contiguous()
    return torch.sparse.mm(transposed, columns).T.unflatten(0, dense.shape[:-1])


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
