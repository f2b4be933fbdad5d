"""A dense tensor times a constant sparse matrix of ones and zeros, with its gradient.

The matrix is kept with its transpose, one for the product and one for the gradient, so
that neither is turned at each step.
"""

from __future__ import annotations

import warnings

import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor


def sparse_pair(
    pattern: csr_array, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return the transpose of a matrix of ones and zeros, and the matrix."""
    columns = pattern.tocsc()
    transposed = columns.indptr, columns.indices, columns.shape[::-1]
    both = transposed, (pattern.indptr, pattern.indices, pattern.shape)
    return tuple(_csr(*each, device, dtype) for each in both)


def times_sparse(dense: Tensor, pair: tuple[Tensor, Tensor]) -> Tensor:
    """Multiply a dense tensor by a sparse matrix on the right.

    Parameters
    ----------
    dense : tensor of shape (..., n_rows)
    pair : tuple of tensor
        Of :func:`sparse_pair`, of a matrix of shape (n_rows, n_columns).

    Returns
    -------
    tensor of shape (..., n_columns)
    """
    return _Product.apply(dense, *pair)


class _Product(torch.autograd.Function):
    """A dense array times a constant sparse matrix."""

    @staticmethod
    def forward(ctx, dense: Tensor, transposed: Tensor, matrix: Tensor) -> Tensor:
        ctx.matrix = matrix
        return _times_transpose_of(dense, transposed)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return _times_transpose_of(gradient, ctx.matrix), None, None


def _csr(
    ends: NDArray,
    columns: NDArray,
    shape: tuple[int, int],
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """Return a matrix with indices of 32 bits, as the product wants them."""
    with warnings.catch_warnings():
        # torch calls the format beta; what is used of it is tested.
        warnings.filterwarnings("ignore", "Sparse CS[RC]")
        return torch.sparse_csr_tensor(
            torch.as_tensor(ends, dtype=torch.int32),
            torch.as_tensor(columns, dtype=torch.int32),
            torch.ones(len(columns), dtype=dtype),
            shape,
            check_invariants=True,
        ).to(device)


def _times_transpose_of(dense: Tensor, transposed: Tensor) -> Tensor:
    """Multiply ``dense @ transposed.T``."""
    columns = dense.flatten(0, -2).T.contiguous()
    return torch.sparse.mm(transposed, columns).T.unflatten(0, dense.shape[:-1])
