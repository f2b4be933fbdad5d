"""Geometry of triangle meshes: normals, areas, edges, spheres, rays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def face_normals(vertices: NDArray, faces: NDArray) -> NDArray:
    """Return the outward normal of each triangle, as long as twice its area.

    Parameters
    ----------
    vertices : array of shape (n_vertices, 3)
    faces : array of int, shape (n_faces, 3)
        Counter-clockwise seen from outside.

    Returns
    -------
    array of shape (n_faces, 3)
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def normals_and_areas(vertices: NDArray, faces: NDArray) -> tuple[NDArray, NDArray]:
    """Return the normal and the area of each vertex.

    MNE's ``complete_surface_info`` gives normals alike, but no areas, and is not
    there on a machine that only trains.

    Parameters
    ----------
    vertices : array of shape (n_vertices, 3)
        Each in a triangle at least.
    faces : array of int, shape (n_faces, 3)
        Counter-clockwise seen from outside.

    Returns
    -------
    normals : array of shape (n_vertices, 3)
        Outward unit vectors: those of the touching triangles, weighted by area.
    areas : array of shape (n_vertices,)
        A third of the area of the touching triangles.
    """
    normals_of_faces = face_normals(vertices, faces)
    incidence = sparse.csr_array(
        (np.ones(faces.size), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))),
        shape=(len(vertices), len(faces)),
    )
    normals = incidence @ normals_of_faces
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals, incidence @ (np.linalg.norm(normals_of_faces, axis=1) / 6)


def mesh_edges(faces: NDArray) -> NDArray:
    """Return the undirected mesh edges, each once, shape (n_edges, 2)."""
    pairs = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def geodesic_sphere(frequency: int) -> tuple[NDArray, NDArray]:
    """Split each edge of an icosahedron ``frequency`` times.

    Returns
    -------
    directions : array of shape (10 * frequency**2 + 2, 3)
        Unit vectors.
    faces : array of int, shape (20 * frequency**2, 3)
        Counter-clockwise seen from outside.
    """
    from scipy.spatial import ConvexHull

    golden = (1 + np.sqrt(5)) / 2
    pairs = np.array([(a, b * golden) for a in (-1, 1) for b in (-1, 1)])
    corners = np.vstack(
        [np.roll(np.column_stack([np.zeros(4), pairs]), k, axis=1) for k in range(3)]
    )
    steps = [(i, j) for i in range(frequency + 1) for j in range(frequency + 1 - i)]
    index = {step: k for k, step in enumerate(steps)}
    weights = np.array([(frequency - i - j, i, j) for i, j in steps]) / frequency
    up = [
        [index[i, j], index[i + 1, j], index[i, j + 1]]
        for i, j in steps
        if i + j < frequency
    ]
    down = [
        [index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]]
        for i, j in steps
        if i + j < frequency - 1
    ]
    big = orient_outward(corners, ConvexHull(corners).simplices)
    points = np.concatenate([weights @ corners[face] for face in big])
    faces = np.concatenate(
        [np.array(up + down) + k * len(steps) for k in range(len(big))]
    )
    # Faces share their edges: points that coincide become one.
    _, first, merged = np.unique(
        (points * 1e6).round().astype(int),
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    points = points[first]
    directions = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions, merged.ravel()[faces]


def orient_outward(points: NDArray, faces: NDArray) -> NDArray:
    """Order the corners of each face counter-clockwise seen from outside."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    inward = np.einsum("ij,ij->i", a, np.cross(b, c)) < 0
    faces = faces.copy()
    faces[inward] = faces[inward][:, ::-1]
    return faces


def cast_rays(rays: NDArray, points: NDArray, faces: NDArray) -> NDArray:
    """Return the farthest distance at which each ray from the origin meets a surface.

    Parameters
    ----------
    rays : array of shape (n_rays, 3)
        Unit vectors.
    points : array of shape (n_points, 3)
    faces : array of int, shape (n_faces, 3)

    Returns
    -------
    array of shape (n_rays,)
        Same unit as ``points``; NaN for a ray that misses.
    """
    a = points[faces[:, 0]]
    edge_1, edge_2 = (points[faces[:, k]] - a for k in (1, 2))
    distance = np.full(len(rays), np.nan)
    tolerance = 1e-9  # rays through an edge must not fall between two triangles
    for k, ray in enumerate(rays):  # Moeller-Trumbore, one ray against all triangles
        across = np.cross(ray, edge_2)
        det = np.einsum("ij,ij->i", edge_1, across)
        with np.errstate(divide="ignore", invalid="ignore"):  # parallel: det = 0
            u = -np.einsum("ij,ij->i", a, across) / det
            turned = np.cross(-a, edge_1)
            v = turned @ ray / det
            t = np.einsum("ij,ij->i", edge_2, turned) / det
            inside = np.minimum(np.minimum(u, v), 1 - u - v) >= -tolerance
        hit = inside & (t > 0)
        if hit.any():
            distance[k] = t[hit].max()
    return distance
