from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.head import Cap, Geometry
from deepsif_lite.head import model as head
from deepsif_lite.head import variants as head_variants
from deepsif_lite.paths import data_dir


@pytest.fixture(scope="module")
def shells():
    return head.template_shells(8)


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
