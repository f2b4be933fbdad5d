from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import head
from deepsif_lite.artifacts import read_arrays, read_artifact
from deepsif_lite.head import meg as magnetic


def test_helmet_surrounds_the_upper_head_evenly():
    from scipy.spatial import cKDTree

    shells = head.template_shells(8)
    places, directions = magnetic.helmet(shells, 148)
    assert len(places) == 148
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    gap = np.linalg.norm(places - shells.project(places), axis=1)
    np.testing.assert_allclose(gap, 25e-3, atol=1e-3)
    nearest = cKDTree(places).query(places, 2)[0][:, 1]
    assert nearest.min() > 0.7 * nearest.max()


def test_meg_hardly_sees_what_points_outward():
    """In a sphere a radial dipole is silent; in a head it is nearly so."""
    meg, eeg = magnetic.load_meg_head(), head.load_head_model("template-75")
    assert meg.leadfield.shape == (148, eeg.cortex.n_regions)
    cortex = eeg.cortex
    normal = head.sum_over_parcels(cortex.normals.T, cortex)
    normal /= np.linalg.norm(normal, axis=0)
    outward = (cortex.centroids - head.load_shells().center).T
    outward /= np.linalg.norm(outward, axis=0)
    radial = np.abs((normal * outward).sum(axis=0))
    ratio = meg.sensitivity / eeg.sensitivity
    near = eeg.depth < 0.04
    out, along = near & (radial > 0.9), near & (radial < 0.3)
    assert np.median(ratio[along]) > 3 * np.median(ratio[out])
    # 10 nA m a vertex give some hundred femtotesla, as measured in people.
    assert 1e-15 < 1e-9 * np.median(meg.sensitivity) < 1e-12


def test_meg_info_points_the_coils_away_from_the_head():
    info = magnetic.load_meg_head().info
    for channel in info["chs"][:5]:
        place, axes = channel["loc"][:3], channel["loc"][3:].reshape(3, 3)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        assert axes[2] @ (place - (0, 0, 0.04)) > 0.08


@pytest.mark.slow
def test_the_stored_leadfield_can_be_built_again(tmp_path):
    pytest.importorskip("openmeeg")
    new = read_arrays(magnetic.store_meg(tmp_path))
    old = read_artifact("head/meg.npz", "meg")
    for key in ("places", "directions"):
        np.testing.assert_allclose(new[key], old[key], atol=1e-9)
    off = np.linalg.norm(new["leadfield"] - old["leadfield"], axis=0)
    off /= np.linalg.norm(old["leadfield"], axis=0)
    assert np.median(off) < 1e-3
    assert off.max() < 5e-3  # integrated with other rules since
