"""Scalp maps of patches and the whitening, against closed forms."""

import numpy as np
from toys import toy_head

from deepsif_lite.network import source_whitener, unit_maps


def test_whitener_whitens_brain_and_sensor_noise():
    head = toy_head()
    whitener = source_whitener(head.leadfield, noise_share=0.5)
    referenced = head.leadfield - head.leadfield.mean(axis=0)
    brain = referenced @ referenced.T
    noise = brain * len(brain) / np.trace(brain) + 0.5 * np.eye(len(brain))
    np.testing.assert_allclose(
        whitener @ noise @ whitener, np.eye(len(brain)), atol=1e-10
    )


def test_whitener_has_no_unit():
    head = toy_head()
    np.testing.assert_allclose(
        source_whitener(head.leadfield), source_whitener(1e6 * head.leadfield)
    )


def test_maps_have_norm_one_and_add_up_from_parcels():
    head = toy_head()
    weights = np.zeros((1, 120))
    weights[0, [3, 4]] = 1, 0.5
    expected = head.leadfield[:, 3] + 0.5 * head.leadfield[:, 4]
    found = unit_maps(head.leadfield, weights)[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected))
