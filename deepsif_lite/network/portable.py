"""Linear algebra written with products and loops, for formats that have no more.

ONNX knows no QR and no eigenvalues. Both are done here with operations that it
knows, in loops that it can keep as loops. It has no sparse matrices either, so the
table of patches has a form of its own.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .modes import LinearAlgebra

_N_SWEEPS = 8  # over all pairs; 16 x 16 matrices are diagonal after six


def orthonormal(columns: Tensor) -> Tensor:
    """Return an orthonormal basis of the span of the columns (Gram and Schmidt).

    Parameters
    ----------
    columns : tensor of shape (n_samples, n_rows, n_columns)

    Returns
    -------
    basis : tensor of the same shape
    """
    from torch._higher_order_ops.scan import scan

    def add_one(basis: Tensor, pulse: Tensor) -> tuple[Tensor, Tensor]:
        column = columns @ pulse[:, None]
        for _ in range(2):  # once more for what rounding left
            column = column - basis @ (basis.transpose(-1, -2) @ column)
        column = column / column.square().sum(-2, keepdim=True).sqrt()
        return basis + column * pulse, column[:, 0, 0]

    pulses = torch.eye(columns.shape[-1], dtype=columns.dtype)
    return scan(add_one, torch.zeros_like(columns), pulses)[0]


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues, ascending, and eigenvectors by Jacobi's rotations.

    Each step rotates disjoint pairs of rows at once; a sweep takes all pairs.

    Parameters
    ----------
    matrix : tensor of shape (n_samples, n, n)
        Symmetric.

    Returns
    -------
    values : tensor of shape (n_samples, n)
    vectors : tensor of shape (n_samples, n, n)
        In columns; the sign is arbitrary.

    References
    ----------
    Golub and Van Loan, Matrix Computations, section 8.5.
    """
    from torch._higher_order_ops.scan import scan

    n = matrix.shape[-1]
    eye = torch.eye(n, dtype=matrix.dtype)
    swaps = torch.as_tensor(
        np.tile(_pairings(n), (_N_SWEEPS, 1, 1)), dtype=matrix.dtype
    )
    # Of two rows with equal diagonals one turns left and the other right.
    first = swaps @ torch.arange(n, dtype=matrix.dtype) > torch.arange(n)
    turns = torch.where(first, 1.0, -1.0).to(matrix.dtype)

    def rotate(state: list[Tensor], step: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        rotated, vectors = state
        swap, turn = step
        beside = (rotated * swap).sum(-1)
        diagonal = (rotated * eye).sum(-1)
        is_done = beside == 0
        ratio = (diagonal @ swap - diagonal) / torch.where(is_done, 1.0, 2 * beside)
        sign = torch.where(ratio == 0, turn, torch.sign(ratio))
        tangent = sign / (ratio.abs() + (1 + ratio * ratio).sqrt())
        tangent = torch.where(is_done, 0.0, tangent)
        cosine = 1 / (1 + tangent * tangent).sqrt()
        rotation = cosine[..., None] * eye + (tangent * cosine)[..., None] * swap
        rotated = rotation.transpose(-1, -2) @ rotated @ rotation
        return [rotated, vectors @ rotation], beside.sum()

    start = [matrix, eye + torch.zeros_like(matrix)]
    (diagonal, vectors), _ = scan(rotate, start, [swaps, turns])
    values, order = (diagonal * eye).sum(-1).sort(-1)
    order = order[..., None, :].expand_as(vectors)
    return values, torch.take_along_dim(vectors, order, -1)


def _pairings(n: int) -> np.ndarray:
    """Pair all of ``n`` with all, a set of disjoint pairs at a time.

    Returns
    -------
    swaps : array of shape (n_sets, n, n)
        1 where row and column are a pair of the set. Of an odd number, one is left
        out of each.
    """
    size = n + n % 2
    swaps = np.zeros((size - 1, size, size))
    ring = list(range(1, size))
    for swap in swaps:
        order = np.array([0, *ring])
        swap[order, order[::-1]] = 1
        ring = ring[-1:] + ring[:-1]
    return swaps[:, :n, :n]


PORTABLE_LINALG = LinearAlgebra(orthonormal, eigh)
"""The decompositions as products and loops."""


class PatchTable(nn.Module):
    """Which parcels the patches of a dictionary hold, as one small block a seed.

    All patches of a seed lie near it, so the table is dense within the parcels that
    any of them holds, and empty elsewhere. Blocks take a tenth of the memory and of
    the time of the whole table.

    Parameters
    ----------
    members : tensor of bool, shape (n_regions * n_shapes, n_regions)
        Patches of one seed follow each other.

    Attributes
    ----------
    blocks : tensor of bool, shape (n_regions, n_shapes, n_slots + 1)
        Of each seed, which of the parcels near it each patch holds. The last slot is
        empty, for all other parcels.
    slot : tensor of int, shape (n_regions, n_regions)
        Where a seed's block keeps a parcel.
    sources : tensor of int, shape (n_regions, n_most)
        Places in all blocks together that belong to a parcel, padded with empty ones.
    """

    blocks: Tensor
    slot: Tensor
    sources: Tensor

    def __init__(self, members: Tensor) -> None:
        super().__init__()
        n_regions = members.shape[1]
        table = members.unflatten(0, (n_regions, -1))
        near = table.any(1)  # (seed, parcel)
        n_slots = int(near.sum(1).max())
        slot = torch.where(near, near.cumsum(1) - 1, n_slots)
        order = (~near).to(torch.uint8).argsort(dim=1, stable=True)[:, :n_slots]
        blocks = table.gather(2, order[:, None].expand(-1, table.shape[1], -1))
        self.register_buffer("blocks", nn.functional.pad(blocks, (0, 1)))
        self.register_buffer("slot", slot)
        self.register_buffer("sources", _places(near, slot, n_slots))

    def __getitem__(self, patches: Tensor) -> Tensor:
        """Return the members of patches, (..., n_regions)."""
        rows = self.blocks.flatten(0, 1)[patches]
        return rows.gather(-1, self.slot[patches // self.blocks.shape[1]])

    def product(self, dense: Tensor) -> Tensor:
        """Multiply by the table.

        Parameters
        ----------
        dense : tensor of shape (n_samples, n_rows, n_patches)

        Returns
        -------
        tensor of shape (n_samples, n_rows, n_regions)
        """
        by_seed = dense.unflatten(-1, self.blocks.shape[:2]).movedim(2, 0)
        n_seeds, n_samples, n_rows, n_shapes = by_seed.shape
        local = by_seed.reshape(n_seeds, -1, n_shapes) @ self.blocks.to(dense.dtype)
        flat = local.movedim(1, 0).flatten(1)  # (n_samples * n_rows, all places)
        return flat[:, self.sources].sum(-1).unflatten(0, (n_samples, n_rows))


def _places(near: Tensor, slot: Tensor, n_slots: int) -> Tensor:
    """Return the places of each parcel in all blocks, padded with an empty one."""
    n_most = int(near.sum(0).max())
    place = torch.arange(len(near))[:, None] * (n_slots + 1) + slot
    seeds = (~near).to(torch.uint8).argsort(dim=0, stable=True)[:n_most]  # those first
    return place.gather(0, seeds).T.where(near.gather(0, seeds).T, n_slots)
