from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.cortex import (
    TEMPORAL,
    VISUAL,
    area_names,
    brodmann_of_vertex,
    brodmann_regions,
    load_cortex,
    mni_coordinates,
)

ANNOTATIONS = [
    f"deepsif/anatomy/fsaverage5/label/{hemi}.PALS_B12_Brodmann.annot"
    for hemi in ("lh", "rh")
]
pytestmark = pytest.mark.published(*ANNOTATIONS)


def test_areas_are_those_of_the_file(published):
    from nibabel.freesurfer import read_annot

    labels, _, names = read_annot(published(ANNOTATIONS[1]))
    expected = np.flatnonzero(labels == names.index(b"Brodmann.17")) + 10242
    found = np.flatnonzero(brodmann_of_vertex() == 17)
    np.testing.assert_array_equal(found[found >= 10242], expected)


def test_areas_lie_where_anatomy_has_them():
    cortex = load_cortex()
    visual = brodmann_regions(cortex, VISUAL, "lh")
    x, y, z = 1e3 * cortex.centroids[visual].T
    assert (x < 0).all()
    assert (y < -50).all()
    temporal = brodmann_regions(cortex, TEMPORAL, "rh")
    x, y, z = 1e3 * cortex.centroids[temporal].T
    assert (x > 0).all()
    assert np.median(z) < -5
    assert not set(temporal) & set(brodmann_regions(cortex, VISUAL))


def test_region_belongs_where_most_of_its_vertices_do():
    cortex = load_cortex(100)
    found = brodmann_regions(cortex, (4,), share=0.5)
    area = brodmann_of_vertex()
    for region in range(cortex.n_regions):
        share = np.mean(area[cortex.region_of_vertex == region] == 4)
        assert (region in found) == (share > 0.5)
    both = brodmann_regions(cortex, (4, 6))
    assert set(found) <= set(both)


def test_mni152_as_freesurfer_says():
    """Its own example: (10, -20, 35) mm becomes (10.695, -18.409, 36.137)."""
    found = 1e3 * mni_coordinates(np.array([[0.010, -0.020, 0.035]]))
    np.testing.assert_allclose(found, [[10.695, -18.409, 36.137]], atol=5e-3)


def test_names_agree_with_the_sets_of_regions():
    cortex = load_cortex()
    names = np.array(area_names(cortex))
    inside = brodmann_regions(cortex, [17])
    assert len(inside)
    assert set(names[inside]) == {"BA 17"}


def test_without_the_atlas_names_are_empty(monkeypatch):
    monkeypatch.setattr("deepsif_lite.cortex.brodmann.find", lambda name: None)
    assert set(area_names(load_cortex())) == {""}
