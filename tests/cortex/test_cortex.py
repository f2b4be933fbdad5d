"""The template parcellation keeps its promises; the published one reads right."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components

import deepsif_lite as dl
from deepsif_lite.cortex import parcellate
from deepsif_lite.cortex.fsaverage import load_fsaverage5


@pytest.fixture(scope="module")
def cortex():
    return dl.load_cortex(994)


def test_parcels_are_connected_and_even(cortex):
    assert cortex.n_regions == 994
    edges = np.vstack([cortex.faces[:, [0, 1]], cortex.faces[:, [1, 2]]])
    region = cortex.region_of_vertex[edges]
    same = edges[(region[:, 0] == region[:, 1]) & (region[:, 0] >= 0)]
    n = len(cortex.vertices)
    graph = sparse.coo_array((np.ones(len(same)), same.T), shape=(n, n))
    n_pieces, piece = connected_components(graph, directed=False)
    inside = cortex.region_of_vertex >= 0
    assert len(np.unique(piece[inside])) == cortex.n_regions
    assert cortex.areas.std() / cortex.areas.mean() <= 0.35


def test_geometry_adds_up(cortex):
    inside = cortex.region_of_vertex >= 0
    assert cortex.areas.sum() == pytest.approx(cortex.vertex_areas[inside].sum())
    # Divergence theorem: the pial volume of two hemispheres is about one liter.
    corners = cortex.vertices[cortex.faces]
    volume = np.linalg.det(corners).sum() / 6
    assert 0.9e-3 < volume < 1.4e-3
    np.testing.assert_allclose(np.linalg.norm(cortex.normals, axis=1), 1, atol=1e-9)
    assert set(cortex.hemisphere) == {"lh", "rh"}
    left = cortex.hemisphere == "lh"
    assert cortex.centroids[left, 0].max() < 0.01
    assert cortex.centroids[~left, 0].min() > -0.01


def test_medial_wall_is_left_out(cortex):
    wall = cortex.vertices[cortex.region_of_vertex < 0]
    share = (cortex.region_of_vertex < 0).mean()
    assert 0.04 < share < 0.12  # FreeSurfer's own wall is 8.7 % of fsaverage5
    assert np.median(np.abs(wall[:, 0])) < 0.012  # at the midline


def test_neighbors_are_symmetric_and_stay_in_a_hemisphere(cortex):
    assert (cortex.adjacency == cortex.adjacency.T).all()
    assert not cortex.adjacency.diagonal().any()
    rows, cols = np.nonzero(cortex.adjacency)
    assert (cortex.hemisphere[rows] == cortex.hemisphere[cols]).all()
    assert min(map(len, cortex.neighbors)) >= 1


def test_distances_are_euclidean(cortex):
    a, b = 3, 700
    expected = np.linalg.norm(cortex.centroids[a] - cortex.centroids[b])
    assert cortex.distances[a, b] == pytest.approx(expected)


def test_other_sizes_and_seeds():
    small = dl.load_cortex(120)
    assert small.n_regions == 120
    assert small.areas.std() / small.areas.mean() <= 0.35
    np.testing.assert_array_equal(parcellate(120), small.region_of_vertex)
    assert (parcellate(120, seed=1) != small.region_of_vertex).any()


@pytest.mark.parametrize("bad", [1, 0, 5000, "brainnetome", 99.5])
def test_bad_size_is_refused(bad):
    with pytest.raises(ValueError, match="n_regions"):
        dl.load_cortex(bad)


def test_to_vertices_fills_the_wall(cortex):
    values = np.arange(cortex.n_regions, dtype=float)
    spread = cortex.to_vertices(values, fill=np.nan)
    assert np.isnan(spread[cortex.region_of_vertex < 0]).all()
    inside = cortex.region_of_vertex >= 0
    np.testing.assert_array_equal(spread[inside], cortex.region_of_vertex[inside])


def test_surfaces_are_those_that_nilearn_gives():
    from nilearn.datasets import fetch_surf_fsaverage
    from nilearn.surface import load_surf_data, load_surf_mesh

    paths = fetch_surf_fsaverage("fsaverage5")
    surface, half = load_fsaverage5(), 10242
    mesh = load_surf_mesh(paths["pial_right"])
    np.testing.assert_allclose(surface["vertices"][half:], mesh.coordinates / 1e3)
    np.testing.assert_array_equal(surface["faces"][20480:] - half, mesh.faces)
    inflated = load_surf_mesh(paths["infl_left"]).coordinates
    np.testing.assert_array_equal(surface["inflated"][:half], inflated)
    for name, kind in (("sulc", "sulc"), ("thickness", "thick")):
        left = load_surf_data(paths[f"{kind}_left"])
        np.testing.assert_array_equal(surface[name][:half], left)
