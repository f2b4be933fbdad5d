"""Geometry of meshes, against closed forms and MNE."""

import mne
import numpy as np
import pytest

from deepsif_lite.mesh import (
    cast_rays,
    face_normals,
    geodesic_sphere,
    normals_and_areas,
)


def test_normals_are_those_of_mne():
    directions, faces = geodesic_sphere(5)
    points = 0.09 * directions * (1 + 0.2 * directions[:, :1]) + (0.01, 0, 0.03)
    normals, _ = normals_and_areas(points, faces)
    surface = {"rr": points, "tris": faces, "np": len(points), "ntri": len(faces)}
    theirs = mne.surface.complete_surface_info(surface, copy=True, verbose=False)
    # MNE weighs the triangles of a vertex alike, we by their area.
    assert (normals * theirs["nn"]).sum(axis=1).min() > 0.999
    unit = face_normals(points, faces)
    area = np.linalg.norm(unit, axis=1) / 2
    np.testing.assert_allclose(area, theirs["tri_area"])
    np.testing.assert_allclose(unit / (2 * area[:, None]), theirs["tri_nn"])


def test_normals_and_areas_of_a_sphere():
    directions, faces = geodesic_sphere(12)
    normals, areas = normals_and_areas(0.1 * directions, faces)
    np.testing.assert_allclose(normals, directions, atol=0.01)
    assert areas.sum() == pytest.approx(4 * np.pi * 0.1**2, rel=0.01)
    assert areas.min() > 0.5 * areas.mean()


def test_geodesic_sphere_is_closed_and_points_outward():
    directions, faces = geodesic_sphere(6)
    assert len(directions) == 10 * 6**2 + 2
    assert len(faces) == 20 * 6**2
    edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert (counts == 2).all()
    a, b, c = (directions[faces[:, k]] for k in range(3))
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(4 / 3 * np.pi, rel=0.03)


def test_rays_find_the_farthest_crossing():
    directions, faces = geodesic_sphere(4)
    both = np.vstack([directions, 2 * directions])
    faces = np.vstack([faces, faces + len(directions)])
    rays = np.eye(3)
    distance = cast_rays(rays, both, faces)
    assert distance == pytest.approx(np.full(3, 2.0), rel=0.02)
    missing = cast_rays(rays, both + 10, faces)
    assert np.isnan(missing).all()
