from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import head
from deepsif_lite.artifacts import read_arrays, read_artifact
from deepsif_lite.cortex import load_cortex
from deepsif_lite.head import (
    HEAD_VARIANTS,
    Cap,
    Geometry,
    build_gains,
    load_head_variant,
    place_electrodes,
    variants,
)
from deepsif_lite.signals import average_reference


@pytest.fixture(scope="module")
def shells():
    return head.template_shells(8)


def test_moved_electrodes_stay_on_the_scalp(shells):
    start = place_electrodes(Cap(), shells)
    np.testing.assert_allclose(shells.project(start), start, atol=1e-9)
    moved = place_electrodes(Cap(jitter=5e-3, seed=3), shells)
    distance = np.linalg.norm(moved - start, axis=1)
    assert np.sqrt(np.mean(distance**2)) == pytest.approx(5e-3, rel=0.25)
    again = place_electrodes(Cap(jitter=5e-3, seed=3), shells)
    np.testing.assert_array_equal(moved, again)
    left = place_electrodes(Cap(shift=(-5e-3, 0.0, 0.0)), shells)
    at_top = start[:, 2].argmax()
    assert (left - start)[at_top, 0] == pytest.approx(-5e-3, abs=1e-3)


def test_settings_out_of_range_are_refused(shells):
    with pytest.raises(ValueError, match="layout"):
        place_electrodes(Cap(layout="10-5"), shells)
    for geometry, word in (
        (Geometry(source_depth=2), "source_depth"),
        (Geometry(orientation="up"), "orientation"),
        (Geometry(inner_skull="x"), "inner_skull"),
    ):
        with pytest.raises(ValueError, match=word):
            build_gains(geometry, [Cap()], frequency=2)
    with pytest.raises(ValueError, match="skull-1/40"):
        load_head_variant("skull-1/41")


def test_stored_variants_are_complete():
    arrays = read_artifact("head/variants.npz", "variants")
    assert len(arrays) == 2 * len(HEAD_VARIANTS)
    for name in HEAD_VARIANTS:
        assert arrays[f"{name}/leadfield"].shape == (75, 994)
        assert np.isfinite(arrays[f"{name}/leadfield"]).all()


def test_a_build_that_was_stopped_goes_on(monkeypatch, tmp_path):
    built = []

    def build_gains(geometry, caps, cortex):
        if geometry == HEAD_VARIANTS["skull-3mm"].geometry and len(built) < 6:
            raise KeyboardInterrupt
        built.append(geometry)
        gain = np.full((75, len(cortex.vertices)), float(len(built)))
        return [(np.zeros((75, 3)), gain) for _ in caps]

    monkeypatch.setattr(variants, "build_gains", build_gains)
    with pytest.raises(KeyboardInterrupt):
        variants.store_variants(tmp_path, progress=False)
    assert len(built) == 5
    assert not (tmp_path / "head" / "variants.npz").exists()
    first = list(built)
    built.append("stopped")
    arrays = read_arrays(variants.store_variants(tmp_path, progress=False))
    assert not set(first) & set(built[6:])
    assert len(arrays) == 2 * len(HEAD_VARIANTS)
    assert [path.name for path in (tmp_path / "head").iterdir()] == ["variants.npz"]


@pytest.mark.slow
def test_a_stored_variant_can_be_built_again():
    pytest.importorskip("openmeeg")
    name = "shape-03"
    again = variants._build_group([name], load_cortex())
    stored = read_artifact("head/variants.npz", "variants")
    old, new = (a[f"{name}/leadfield"] for a in (stored, again))
    off = np.linalg.norm(average_reference(new - old), axis=0)
    assert (off / np.linalg.norm(average_reference(old), axis=0)).max() < 5e-3
    electrodes = f"{name}/electrodes"
    np.testing.assert_allclose(again[electrodes], stored[electrodes], atol=1e-6)


def test_coarse_variant_is_the_template():
    coarse = load_head_variant("coarse")
    template = head.load_head_model("template-75")
    same = head.topography_correlation(coarse.leadfield, template.leadfield)
    assert same.min() > 0.99
    assert np.median(same) > 0.9999
    np.testing.assert_allclose(coarse.sensors, template.sensors, atol=2e-3)


def test_a_more_conductive_skull_lets_more_through():
    sizes = [
        np.median(load_head_variant(name).sensitivity)
        for name in ("skull-1/20", "skull-1/40", "skull-1/60", "coarse", "skull-1/100")
    ]
    assert (np.diff(sizes) < 0).all()


def test_the_farther_electrodes_move_the_less_maps_agree():
    base = load_head_variant("coarse").leadfield
    agreement = [
        np.median(
            head.topography_correlation(
                load_head_variant(f"jitter-{mm}mm").leadfield, base
            )
        )
        for mm in (2, 5, 10)
    ]
    assert 1 > agreement[0] > agreement[1] > agreement[2] > 0.8


def test_shapes_differ_from_each_other_and_stay_heads():
    base = load_head_variant("coarse")
    shapes = [name for name in HEAD_VARIANTS if name.startswith("shape")]
    assert len(shapes) == 20
    fields = [load_head_variant(name).leadfield for name in shapes]
    for field in fields:
        r = head.topography_correlation(field, base.leadfield)
        assert 0.9 < np.median(r) < 0.9999
    assert np.median(head.topography_correlation(fields[0], fields[1])) < 0.9999
