"""Matrix roots against eigenvalues."""

import torch

from deepsif_lite.network.matrix_roots import symmetric_roots


def test_roots_are_those_of_the_eigenvalues():
    rng = torch.Generator().manual_seed(0)
    vectors = torch.linalg.qr(torch.randn(3, 12, 12, generator=rng).double())[0]
    values = torch.logspace(-3, 1, 12).double()
    matrix = (vectors * values) @ vectors.mT
    root, inverse = symmetric_roots(matrix)
    torch.testing.assert_close(root, (vectors * values.sqrt()) @ vectors.mT)
    torch.testing.assert_close(inverse, (vectors / values.sqrt()) @ vectors.mT)
