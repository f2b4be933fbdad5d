"""Square roots of symmetric matrices, by products alone."""

from __future__ import annotations

import torch
from torch import Tensor


def symmetric_roots(matrix: Tensor, n_iter: int = 16) -> tuple[Tensor, Tensor]:
    """Return the square root of positive definite matrices, and its inverse.

    By the coupled iteration of Newton and Schulz, because it needs products only: it
    runs batched on any device, and in formats that know no eigenvalues.

    Parameters
    ----------
    matrix : tensor of shape (n_samples, n, n)
        Symmetric and positive definite, in double precision.
    n_iter : int
        Rounds; sixteen serve condition numbers up to ten thousand.

    Returns
    -------
    root, inverse : tensors of shape (n_samples, n, n)
        ``root @ root`` is the matrix, ``inverse @ root`` the identity.

    References
    ----------
    Higham (2008), Functions of Matrices, section 6.7.
    """
    # Eigenvalues must lie below two; then small ones grow by half a round.
    scale = matrix.square().sum((-2, -1), keepdim=True).sqrt()
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    root, inverse = matrix / scale, eye.expand_as(matrix)
    for _ in range(n_iter):
        step = 1.5 * eye - 0.5 * (inverse @ root)
        root, inverse = root @ step, step @ inverse
    return root * scale.sqrt(), inverse / scale.sqrt()
