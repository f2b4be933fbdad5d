from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.head import (
    Geometry,
    compare_geometries,
    compare_leadfields,
    load_comparison_maps,
    log_magnitude,
    relative_difference,
    summarize_comparison,
    tabulate_comparison,
)


@pytest.fixture(scope="module")
def maps():
    return load_comparison_maps()


def two_channels(angle, size=1.0):
    """Scalp map of two antisymmetric pairs: a vector in a plane, mean zero."""
    x, y = size * np.cos(angle), size * np.sin(angle)
    return np.array([x, -x, y, -y])


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, 2.5, np.pi])
def test_the_difference_measure_of_turned_maps_is_a_chord(angle):
    """Two unit vectors at an angle: the chord of the unit circle, 2 sin(angle / 2)."""
    ours, theirs = two_channels(0.2, 5.0)[:, None], two_channels(0.2 + angle)[:, None]
    rdm = relative_difference(ours + 7, theirs)
    np.testing.assert_allclose(rdm, 2 * np.sin(angle / 2), atol=1e-12)


def test_the_magnitude_is_the_logarithm_of_the_factor():
    reference = np.column_stack([two_channels(a) for a in (0, 1, 2)])
    turned = np.column_stack([two_channels(a + 0.7) for a in (0, 1, 2)])
    factors = np.array([0.5, 1.0, 3.0])
    found = log_magnitude(turned * factors - 4, reference)
    np.testing.assert_allclose(found, np.log(factors), atol=1e-12)
    back = log_magnitude(reference, turned * factors)
    np.testing.assert_allclose(back, -found, atol=1e-12)


def test_the_difference_measure_follows_from_the_correlation():
    rng = np.random.default_rng(0)
    maps = compare_leadfields(*rng.normal(size=(2, 12, 50)))
    np.testing.assert_allclose(maps["rdm"] ** 2, 2 * (1 - maps["correlation"]))


def test_with_the_authors_electrodes_the_published_leadfield_is_reproduced(maps):
    """The stored maps; the next test computes some again."""
    rows = tabulate_comparison(maps).set_index(["change", "electrodes"])
    ours = rows.loc[("template", "published")]
    assert ours["median"] >= 0.97
    assert ours["percentile_5"] >= 0.90
    assert rows.loc[("template", "10-10"), "median"] >= 0.93
    stored = np.median(maps["template/published/correlation"])
    assert ours["median"] == pytest.approx(stored, abs=1e-4)
    # A name of a change may hold the sign that parts the names.
    assert ("skull conductivity 1/40", "10-10") in rows.index
    assert len(rows) == len(maps) / 3


@pytest.mark.slow
@pytest.mark.published(
    "deepsif/anatomy/leadfield_75_20k.mat", "deepsif/anatomy/electrode_75.mat"
)
def test_stored_maps_can_be_computed_again(maps):
    pytest.importorskip("openmeeg")
    again = compare_geometries({"template": Geometry()}, progress=False)
    assert len(again) == 6
    for name, values in again.items():
        np.testing.assert_allclose(np.median(values), np.median(maps[name]), atol=2e-4)


def test_agreement_of_a_leadfield_with_itself():
    rng = np.random.default_rng(0)
    leadfield = rng.normal(size=(20, 30))
    scores = summarize_comparison(compare_leadfields(leadfield, 2 * leadfield + 1))
    assert scores["median"] == pytest.approx(1)
    assert scores["rdm"] == pytest.approx(0, abs=1e-12)
    assert scores["magnitude"] == pytest.approx(2)
    assert scores["reversed"] == 0
    turned = compare_leadfields(leadfield, -leadfield)
    assert summarize_comparison(turned)["reversed"] == 30
