"""Modes against the full singular value decomposition."""

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.network.modes import temporal_modes
from deepsif_lite.synthesis import SyntheticEEG


@pytest.fixture(scope="module")
def batch():
    stream = SyntheticEEG(toy_head(), toy_clips(), n_sources=(1, 2), seed=0)
    return stream.batch(range(6))


def test_modes_are_the_leading_singular_vectors(batch):
    maps, strengths, courses = temporal_modes(batch.eeg, 4)
    _, values, vectors = torch.linalg.svd(batch.eeg, full_matrices=False)
    expected = values[:, :4] / batch.eeg.shape[1] ** 0.5
    # Subspace iteration is exact for what stands out, close for the noise floor.
    torch.testing.assert_close(strengths[:, :2], expected[:, :2], rtol=1e-3, atol=0)
    torch.testing.assert_close(strengths, expected, rtol=3e-2, atol=0)
    agreement = (maps[:, :2] * vectors[:, :2]).sum(-1).abs()
    assert float(agreement.min()) > 0.999
    gram = courses @ courses.transpose(1, 2) / courses.shape[-1]
    torch.testing.assert_close(gram, torch.eye(5).expand_as(gram), atol=2e-3, rtol=0)


def test_modes_of_a_sample_do_not_depend_on_its_batch(batch):
    together = temporal_modes(batch.eeg, 4)
    alone = temporal_modes(batch.eeg[2:3], 4)
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[2:3], b, atol=1e-4, rtol=1e-4)
