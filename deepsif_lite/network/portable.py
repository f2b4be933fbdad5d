"""Linear algebra written with products and loops, for formats that have no more.

ONNX knows no QR and no eigenvalues. Both are done here with operations that it
knows, in loops that it can keep as loops.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

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
