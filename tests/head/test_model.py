from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import head
from deepsif_lite.artifacts import read_arrays, read_artifact
from deepsif_lite.cortex import load_cortex
from deepsif_lite.head.template import store_template
from deepsif_lite.signals import average_reference

PUBLISHED = (
    "deepsif/anatomy/leadfield_75_20k.mat",
    "deepsif/anatomy/fs_cortex_20k_region_mapping.mat",
    "deepsif/anatomy/electrode_75.mat",
)


@pytest.fixture(scope="module")
def template():
    return head.load_head_model("template-75")


@pytest.fixture(scope="module")
def coarse():
    """The template built from nothing, with shells of 252 points."""
    pytest.importorskip("openmeeg")
    channels = ("Fpz", "Cz", "Oz", "T7", "T8", "P7", "P8", "F3", "C4")
    return head.build_head_model(channels=channels, shells=head.template_shells(5))


def test_shapes_and_channel_order(template):
    n_regions = template.cortex.n_regions
    assert template.leadfield.shape == (75, n_regions)
    assert template.vertex_gain.shape == (75, len(template.cortex.vertices))
    assert template.ch_names == template.info["ch_names"]
    assert template.ch_names[:3] == ["Fp1", "F7", "T7"]
    assert np.isfinite(template.leadfield).all()
    assert template.depth.shape == template.sensitivity.shape == (n_regions,)


def test_64_channels_are_rows_of_the_75(template):
    other = head.load_head_model("template-64")
    rows = [template.ch_names.index(name) for name in other.ch_names]
    np.testing.assert_array_equal(other.leadfield, template.leadfield[rows])
    assert other.ch_names[:3] == ["Fp1", "AF7", "AF3"]
    assert len(other.ch_names) == 64


def test_leadfield_sums_the_vertices_of_a_parcel(template):
    parcel = template.cortex.region_of_vertex == 17
    by_hand = template.vertex_gain[:, parcel].astype(float).sum(axis=1)
    np.testing.assert_allclose(template.leadfield[:, 17], by_hand, rtol=1e-12)


def test_the_reference_is_the_mean_over_electrodes_and_meg_has_none(template):
    centered = template.leadfield - template.leadfield.mean(axis=0)
    np.testing.assert_array_equal(template.referenced_leadfield, centered)
    rms = np.sqrt((centered**2).mean(axis=0))
    np.testing.assert_allclose(template.sensitivity, rms)
    magnetic = head.load_meg_head()
    np.testing.assert_array_equal(magnetic.referenced_leadfield, magnetic.leadfield)


def test_other_parcels_use_the_same_vertices(template):
    coarse = head.load_head_model("template-75", cortex=load_cortex(60))
    inside = coarse.cortex.region_of_vertex >= 0
    total = template.vertex_gain[:, inside].astype(float).sum(axis=1)
    np.testing.assert_allclose(coarse.leadfield.sum(axis=1), total, rtol=1e-9)


def test_electrodes_lie_on_the_scalp_outside_the_cortex(template):
    shells = head.load_shells()
    on_scalp = shells.project(template.sensors)
    np.testing.assert_allclose(template.sensors, on_scalp, atol=1e-6)
    assert 5e-3 < template.depth.min() < template.depth.max() < 0.1


def test_info_places_electrodes_in_the_head_frame(template):
    import mne

    positions = template.info.get_montage().get_positions()
    assert positions["coord_frame"] == "head"
    at = positions["ch_pos"]
    assert at["Cz"][2] > 0.1
    assert at["Nz"][1] > 0.08
    assert at["T7"][0] < -0.06 < 0.06 < at["T8"][0]
    # Spherical splines, used for missing channels, need these positions.
    topography = template.leadfield[:, [300]]
    evoked = mne.EvokedArray(topography, template.info.copy(), verbose=False)
    truth = evoked.data[template.ch_names.index("C3"), 0]
    evoked.info["bads"] = ["C3"]
    evoked.interpolate_bads(verbose=False)
    found = evoked.data[template.ch_names.index("C3"), 0]
    assert abs(found - truth) < 0.1 * np.ptp(topography)


def test_a_parcel_is_seen_best_by_a_near_electrode_when_it_faces_it(template):
    """Crown of a gyrus: the normal points at the scalp, the peak is above it."""
    cortex, gain = template.cortex, average_reference(template.vertex_gain)
    to_electrode = template.sensors[:, None] - cortex.vertices
    distance = np.linalg.norm(to_electrode, axis=2)
    nearest = distance.argmin(axis=0)
    vertex = np.arange(len(cortex.vertices))
    toward = to_electrode[nearest, vertex] / distance[nearest, vertex][:, None]
    facing = (toward * cortex.normals).sum(axis=1) > 0.95
    crowns = facing & (distance.min(axis=0) < 0.025)
    assert crowns.sum() > 50
    strongest = gain[:, crowns].argmax(axis=0)
    gap = np.linalg.norm(
        template.sensors[strongest] - template.sensors[nearest[crowns]], axis=1
    )
    assert gap.max() == 0
    assert gain[nearest, vertex][crowns].min() > 0


def test_closer_vertices_are_seen_better(template):
    from scipy.spatial import cKDTree
    from scipy.stats import spearmanr

    distance = cKDTree(template.sensors).query(template.cortex.vertices)[0]
    size = np.linalg.norm(average_reference(template.vertex_gain), axis=0)
    assert spearmanr(distance, size).statistic < -0.7


def test_shells_are_nested_around_the_cortex():
    shells = head.template_shells(8)
    assert (shells.outer_skull - shells.inner_skull).min() >= 0.99 * 4e-3
    assert (shells.scalp - shells.outer_skull).min() > 1.9e-3
    inside = head.clearance(shells, load_cortex().vertices[::11])
    assert inside.min() > 0.5e-3


def test_coarse_rebuild_agrees_with_the_stored_model(coarse, template):
    rows = [template.ch_names.index(name) for name in coarse.ch_names]
    stored = template.leadfield[rows]
    agreement = head.topography_correlation(coarse.leadfield, stored)
    assert np.median(agreement) > 0.999
    size = np.linalg.norm(coarse.leadfield) / np.linalg.norm(stored)
    assert size == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_full_rebuild_gives_the_stored_model(tmp_path):
    """The shipped gain was integrated with finer rules: equal within 0.2 %."""
    pytest.importorskip("openmeeg")
    new = read_arrays(store_template(tmp_path))
    old = read_artifact("head/template.npz", "head")
    assert new.keys() == old.keys()
    for key in new.keys() - {"ch_names", "vertex_gain"}:
        scale = np.abs(old[key]).max()
        np.testing.assert_allclose(new[key], old[key], atol=1e-6 * scale)
    again, shipped = (
        average_reference(file["vertex_gain"].astype(float)) for file in (new, old)
    )
    error = np.linalg.norm(again - shipped, axis=0) / np.linalg.norm(shipped, axis=0)
    assert error.max() < 2e-3
    assert np.median(error) < 1e-4


@pytest.mark.published(*PUBLISHED)
def test_topographies_match_the_published_leadfield(template):
    published = head.load_head_model("published-75")
    ours = head.sum_over_parcels(template.vertex_gain, published.cortex)
    assert template.ch_names == published.ch_names
    agreement = head.topography_correlation(ours, published.leadfield)
    assert np.median(agreement) >= 0.93
    # A few deep parcels of the published file have their sign reversed.
    assert 0 < (agreement < 0).sum() < 30


@pytest.mark.published(*PUBLISHED)
def test_published_model_keeps_its_own_numbers(published):
    from scipy.io import loadmat

    model = head.load_head_model("published-75")
    fwd = loadmat(published("deepsif/anatomy/leadfield_75_20k.mat"))["fwd"]
    np.testing.assert_array_equal(model.leadfield, fwd)
    assert model.cortex.n_regions == fwd.shape[1]
    assert model.vertex_gain is None


def test_errors_name_the_valid_choices():
    with pytest.raises(ValueError, match="template-64"):
        head.load_head_model("template-19")
    with pytest.raises(ValueError, match="its own parcels"):
        head.load_head_model("published-75", cortex=load_cortex())
    with pytest.raises(ValueError, match="Oz"):
        head.build_head_model(channels=("Oz",), positions={})
    with pytest.raises(ValueError, match="inner_skull"):
        head.template_shells(2, inner_skull="outer")


def test_correlation_ignores_reference_and_size():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(10, 4))
    np.testing.assert_allclose(head.topography_correlation(a, 3 * a + 5), 1)
    np.testing.assert_allclose(head.topography_correlation(a, -a), -1)
