from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import bem, head, head_variants
from deepsif_lite.cortex import load_cortex
from deepsif_lite.head_variants import Cap, Geometry, HeadShape
from deepsif_lite.paths import data_dir


@pytest.fixture(scope="module")
def shells():
    return head.template_shells(8)


@pytest.fixture(scope="module")
def table():
    return head_variants.load_comparison()


def test_moved_electrodes_stay_on_the_scalp(shells):
    start = head_variants.place_electrodes(Cap(), shells)
    np.testing.assert_allclose(shells.project(start), start, atol=1e-9)
    moved = head_variants.place_electrodes(Cap(jitter=5e-3, seed=3), shells)
    distance = np.linalg.norm(moved - start, axis=1)
    assert np.sqrt(np.mean(distance**2)) == pytest.approx(5e-3, rel=0.25)
    again = head_variants.place_electrodes(Cap(jitter=5e-3, seed=3), shells)
    np.testing.assert_array_equal(moved, again)
    left = head_variants.place_electrodes(Cap(shift=(-5e-3, 0.0, 0.0)), shells)
    at_top = start[:, 2].argmax()
    assert (left - start)[at_top, 0] == pytest.approx(-5e-3, abs=1e-3)


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_a_head_shape_keeps_its_shells_nested_around_the_cortex(shells, seed):
    shape = HeadShape.random(seed, shells.center)
    other, cortex = shape.shells(shells), shape.cortex(load_cortex())
    assert (other.inner_skull < other.outer_skull).all()
    assert (other.outer_skull < other.scalp).all()
    assert bem.clearance(other, cortex.vertices[::11]).min() > 0
    for name in ("inner_skull", "outer_skull", "scalp"):
        direct = shape.points(shells.surface(name))
        np.testing.assert_allclose(other.surface(name), direct, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(cortex.normals, axis=1), 1)
    assert (cortex.normals * load_cortex().normals).sum(axis=1).mean() > 0.98


def test_a_pure_scaling_moves_points_in_proportion(shells):
    shape = HeadShape(shells.center, np.array([1.1, 1.0, 0.9]), np.eye(3), np.zeros(3))
    points = shells.center + np.eye(3)
    moved = shape.points(points) - shells.center
    np.testing.assert_allclose(moved, np.diag([1.1, 1.0, 0.9]))


def test_settings_out_of_range_are_refused(shells):
    with pytest.raises(ValueError, match="layout"):
        head_variants.place_electrodes(Cap(layout="10-5"), shells)
    for geometry, word in (
        (Geometry(source_depth=2), "source_depth"),
        (Geometry(orientation="up"), "orientation"),
        (Geometry(inner_skull="x"), "inner_skull"),
    ):
        with pytest.raises(ValueError, match=word):
            head_variants.build_gains(geometry, [Cap()], frequency=2)
    with pytest.raises(ValueError, match="skull-1/40"):
        head_variants.load_head_variant("skull-1/41")


def test_stored_variants_are_intact_and_complete():
    with np.load(data_dir() / "head" / "variants.npz") as stored:
        arrays = {key: stored[key] for key in stored.files}
    assert str(arrays.pop("sha256")) == head.content_hash(arrays)
    for name in head_variants.HEAD_VARIANTS:
        assert arrays[f"{name}/leadfield"].shape == (75, 994)
        assert np.isfinite(arrays[f"{name}/leadfield"]).all()


def test_coarse_variant_is_the_template():
    coarse = head_variants.load_head_variant("coarse")
    template = head.load_head_model("template-75")
    same = head.topography_correlation(coarse.leadfield, template.leadfield)
    assert same.min() > 0.99
    assert np.median(same) > 0.9999
    np.testing.assert_allclose(coarse.electrodes, template.electrodes, atol=2e-3)


def test_a_more_conductive_skull_lets_more_through():
    sizes = [
        np.median(head_variants.load_head_variant(name).sensitivity)
        for name in ("skull-1/20", "skull-1/40", "skull-1/60", "coarse", "skull-1/100")
    ]
    assert (np.diff(sizes) < 0).all()


def test_the_farther_electrodes_move_the_less_maps_agree():
    base = head_variants.load_head_variant("coarse").leadfield
    agreement = [
        np.median(
            head.topography_correlation(
                head_variants.load_head_variant(f"jitter-{mm}mm").leadfield, base
            )
        )
        for mm in (2, 5, 10)
    ]
    assert 1 > agreement[0] > agreement[1] > agreement[2] > 0.8


def test_shapes_differ_from_each_other_and_stay_heads():
    base = head_variants.load_head_variant("coarse")
    shapes = [name for name in head_variants.HEAD_VARIANTS if name.startswith("shape")]
    assert len(shapes) == 20
    fields = [head_variants.load_head_variant(name).leadfield for name in shapes]
    for field in fields:
        r = head.topography_correlation(field, base.leadfield)
        assert 0.9 < np.median(r) < 0.9999
    assert np.median(head.topography_correlation(fields[0], fields[1])) < 0.9999


def test_with_the_authors_electrodes_the_published_leadfield_is_reproduced(table):
    """The stored table; the next test recomputes a row of it."""
    comparison, correlations = table
    rows = comparison.set_index(["change", "electrodes"])
    ours = rows.loc[("template", "published")]
    assert ours["median"] >= 0.97
    assert ours["percentile_5"] >= 0.90
    assert rows.loc[("template", "10-10"), "median"] >= 0.93
    stored = np.median(correlations["template/published"])
    assert ours["median"] == pytest.approx(stored, abs=1e-4)


@pytest.mark.slow
@pytest.mark.published(
    "deepsif/anatomy/leadfield_75_20k.mat", "deepsif/anatomy/electrode_75.mat"
)
def test_a_row_of_the_table_can_be_computed_again(table):
    pytest.importorskip("openmeeg")
    comparison, _ = table
    again, _ = head_variants.compare_with_published({"template": Geometry()})
    first = comparison[comparison["change"] == "template"].reset_index(drop=True)
    for column in ("median", "percentile_5", "rdm", "magnitude"):
        np.testing.assert_allclose(again[column], first[column], atol=2e-4)


def test_agreement_of_a_leadfield_with_itself():
    rng = np.random.default_rng(0)
    leadfield = rng.normal(size=(20, 30))
    scores = head_variants.agreement(leadfield, 2 * leadfield + 1)
    assert scores["median"] == pytest.approx(1)
    assert scores["rdm"] == pytest.approx(0, abs=1e-12)
    assert scores["magnitude"] == pytest.approx(2)
    assert scores["reversed"] == 0
    assert head_variants.agreement(leadfield, -leadfield)["reversed"] == 30


def test_helmet_surrounds_the_upper_head_evenly(shells):
    from scipy.spatial import cKDTree

    places, directions = head_variants.helmet(shells, 148)
    assert len(places) == 148
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    gap = np.linalg.norm(places - shells.project(places), axis=1)
    np.testing.assert_allclose(gap, 25e-3, atol=1e-3)
    nearest = cKDTree(places).query(places, 2)[0][:, 1]
    assert nearest.min() > 0.7 * nearest.max()


def test_meg_hardly_sees_what_points_outward():
    """In a sphere a radial dipole is silent; in a head it is nearly so."""
    meg, eeg = head_variants.load_meg_head(), head.load_head_model("template-75")
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
    info = head_variants.load_meg_head().info
    for channel in info["chs"][:5]:
        place, axes = channel["loc"][:3], channel["loc"][3:].reshape(3, 3)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        assert axes[2] @ (place - (0, 0, 0.04)) > 0.08
