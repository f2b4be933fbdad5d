"""Which places explain a scalp map: against one that a known patch makes."""

from __future__ import annotations

import mne
import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError
from deepsif_lite.evaluation import explained_by_patches

REGION = 300


@pytest.fixture(scope="module")
def image():
    head = dl.load_head_model("template-64")
    cortex = head.cortex
    patch = [REGION, *cortex.neighbors[REGION]]
    field = head.leadfield[:, patch] @ cortex.areas[patch]
    course = np.exp(-0.5 * ((np.arange(200) - 100) / 8) ** 2)
    data = np.outer(field, course)
    data *= 1e-5 / np.abs(data).max()
    data += 1e-7 * np.random.default_rng(0).standard_normal(data.shape)
    evoked = mne.EvokedArray(data, head.info, tmin=-0.2, verbose="error")
    return dl.image(evoked, "sloreta", head, baseline=(-0.2, -0.1))


def test_the_patch_that_made_a_scalp_map_explains_it(image):
    shares = explained_by_patches(image)
    assert shares.argmax() == REGION
    assert shares[REGION] == pytest.approx(1, abs=0.01)
    assert shares.min() >= 0
    far = image.cortex.distances[REGION] > 0.08
    assert shares[far].max() < 0.9


def test_an_image_without_its_recording_is_refused(image):
    with pytest.raises(MismatchError, match="dl.image"):
        explained_by_patches(image.crop(-0.1, 0.1))
