"""Three-shell boundary elements: shells of the template head, and their leadfield.

The head is three nested conductors (brain, skull, scalp). OpenMEEG's symmetric BEM
gives the scalp potential and the magnetic field of a dipole (Gramfort et al. 2010,
doi:10.1186/1475-925X-9-45). By reciprocity one solve a sensor serves every dipole.

MNE-Python drives OpenMEEG as well (``make_bem_solution(solver="openmeeg")``, then
``make_forward_solution``), and agrees: scalp maps of 2,561 dipoles on shells of 642
points correlate above 0.9999 with ours, sizes differ by 0.2 % at most. It inverts the
whole matrix of the head where ours solves for the sensors, and computes three
components of each dipole where the cortex needs one, with OpenMEEG's finest
integrators. That took four times the processor time (51 s beside 12 s), and for all
20,484 dipoles the distance grows, so this module stays; a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from .._lazy import import_optional
from ..errors import MismatchError, check_option
from ..runs import in_workers
from .shells import Shells, check_inside, check_nested

# S/m. Brain : skull : scalp = 1 : 0.0125 : 1, the ratio of the published model.
BRAIN_CONDUCTIVITY = 0.33
# Conductivity of the skull over that of the brain.
SKULL_RATIO = 0.0125

_DOMAINS = {"brain": "Brain", "scalp": "Scalp"}  # OpenMEEG's names of compartments
_DIPOLES_PER_BLOCK = 2000  # bounds the memory of OpenMEEG's source matrix
# OpenMEEG's integrators. Both change the template's maps by less than the shells'
# fineness does (chapter 2), and each halves the time of OpenMEEG's default.
_HEAD_INTEGRATOR = (2,)  # a Gauss rule of 7 points a triangle, not 16
_SOURCE_INTEGRATOR = (2, 10, 1e-3)  # the same, split up to 10 times near a dipole


@contextmanager
def _silent() -> Iterator[None]:
    """Send what OpenMEEG's C++ prints to a sink; Python cannot catch it otherwise."""
    saved = os.dup(1), os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        yield
    finally:
        for handle, number in zip(saved, (1, 2), strict=True):
            os.dup2(handle, number)
            os.close(handle)
        os.close(sink)


def eeg_gain(
    shells: Shells,
    electrodes: NDArray,
    positions: NDArray,
    orientations: NDArray,
    *,
    conductivity: float = BRAIN_CONDUCTIVITY,
    skull_ratio: float = SKULL_RATIO,
    compartment: str = "brain",
    n_jobs: int = 1,
) -> NDArray:
    """Compute the potential of unit current dipoles at electrodes on the scalp.

    Parameters
    ----------
    shells : Shells
    electrodes : array of shape (n_electrodes, 3)
        On (or near) the scalp surface, meters.
    positions, orientations : array of shape (n_dipoles, 3)
        Dipoles, meters; unit vectors.
    conductivity : float
        Of brain and scalp, S/m.
    skull_ratio : float
        Skull conductivity over brain conductivity.
    compartment : {"brain", "scalp"}
        Where all dipoles are: inside the inner skull, or between outer skull and skin,
        as eyes and muscles are.
    n_jobs : int
        Processes; the result does not depend on it. Two are worth it: one for the
        matrix of the head, one for the dipoles.

    Returns
    -------
    gain : array of shape (n_electrodes, n_dipoles)
        V/(A m), relative to the mean over the scalp (the BEM's own reference).

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    OptionError
        The compartment is unknown.
    MismatchError
        The shells are not nested, or a dipole is not in the compartment.
    """
    check_option("compartment", compartment, _DOMAINS)
    openmeeg = _import_openmeeg()
    check_nested(shells)
    check_inside(shells, positions, compartment)
    head = (shells, conductivity, skull_ratio)
    geometry = _geometry(*head)
    with _silent():
        sensors = openmeeg.Sensors(
            openmeeg.Matrix(np.asfortranarray(electrodes)), geometry
        )
        at_electrodes = _to_dense(openmeeg.Head2EEGMat(geometry, sensors))
    dipoles = np.hstack([positions, orientations])
    return _adjoint_gain(head, at_electrodes, dipoles, n_jobs, compartment)


def meg_gain(
    shells: Shells,
    magnetometers: NDArray,
    directions: NDArray,
    positions: NDArray,
    orientations: NDArray,
    *,
    conductivity: float = BRAIN_CONDUCTIVITY,
    skull_ratio: float = SKULL_RATIO,
    n_jobs: int = 1,
) -> NDArray:
    """Compute the magnetic field of unit current dipoles at point magnetometers.

    Parameters
    ----------
    shells : Shells
    magnetometers, directions : array of shape (n_sensors, 3)
        Outside the scalp, meters; unit vectors along which the field is measured.
    positions, orientations, conductivity, skull_ratio, n_jobs
        As in :func:`eeg_gain`.

    Returns
    -------
    gain : array of shape (n_sensors, n_dipoles)
        T/(A m).

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    MismatchError
        The shells are not nested, a dipole is not inside the brain, or a
        magnetometer is not outside the scalp.
    """
    openmeeg = _import_openmeeg()
    check_nested(shells)
    check_inside(shells, positions)
    height = np.linalg.norm(magnetometers - shells.center, axis=1)
    on_scalp = np.linalg.norm(shells.project(magnetometers) - shells.center, axis=1)
    if not (height > on_scalp).all():
        msg = "magnetometers: some lie inside the head; move them out."
        raise MismatchError(msg)
    head = (shells, conductivity, skull_ratio)
    geometry = _geometry(*head)
    n_sensors = len(magnetometers)
    coils = (
        [f"M{k}" for k in range(n_sensors)],
        openmeeg.Matrix(np.asfortranarray(magnetometers)),
        openmeeg.Matrix(np.asfortranarray(directions)),
        np.ones(n_sensors),
        np.zeros(n_sensors),  # points, no coil area
    )
    dipoles = np.hstack([positions, orientations])
    with _silent():
        sensors = openmeeg.Sensors(*coils)
        at_sensors = openmeeg.Head2MEGMat(geometry, sensors).array()
        primary = openmeeg.DipSource2MEGMat(
            openmeeg.Matrix(np.asfortranarray(dipoles)), sensors
        ).array()
    return primary + _adjoint_gain(head, at_sensors, dipoles, n_jobs)


def _geometry(shells: Shells, conductivity: float, skull_ratio: float):
    """Hand the shells to OpenMEEG, which wants triangles clockwise from outside."""
    faces = np.ascontiguousarray(shells.faces[:, ::-1], dtype=np.uint64)
    meshes = [
        (np.ascontiguousarray(shells.surface(name)), faces)
        for name in ("inner_skull", "outer_skull", "scalp")
    ]
    sigmas = (conductivity, conductivity * skull_ratio, conductivity)
    with _silent():
        return _import_openmeeg().make_nested_geometry(meshes, sigmas)


def _adjoint_gain(
    head: tuple[Shells, float, float],
    to_sensors: NDArray,
    dipoles: NDArray,
    n_jobs: int,
    compartment: str = "brain",
) -> NDArray:
    """Solve once a sensor, whatever the number of dipoles.

    The matrix of the head and the sources' blocks are independent tasks. Each runs on
    one thread, because OpenMEEG loses time with more.

    Parameters
    ----------
    head : tuple of Shells, conductivity, skull_ratio
    to_sensors : array of shape (n_sensors, n_unknowns)
        From the solution on the surfaces to the sensors.
    dipoles : array of shape (n_dipoles, 6)
        Positions and moments.
    n_jobs : int
    compartment : {"brain", "scalp"}

    Returns
    -------
    array of shape (n_sensors, n_dipoles)
    """
    from joblib import delayed

    starts = range(0, len(dipoles), _DIPOLES_PER_BLOCK)
    blocks = [slice(start, start + _DIPOLES_PER_BLOCK) for start in starts]
    tasks = [delayed(_head_matrix)(head)]
    tasks += [
        delayed(_source_matrix)(head, dipoles[block], compartment) for block in blocks
    ]
    results = in_workers(tasks, n_jobs, return_as="generator", batch_size=1)
    matrix = _unpack(next(results))
    adjoint = _solve_head(matrix, to_sensors.T)
    gain = np.empty((len(to_sensors), len(dipoles)))
    for block, (rows, sources) in zip(blocks, results, strict=True):
        gain[:, block] = adjoint[rows].T @ sources
    return gain


def _solve_head(matrix: NDArray, right: NDArray) -> NDArray:
    """Solve the symmetric system of the head by two Cholesky factorizations.

    The unknowns are potentials, whose block of the matrix is negative, then currents,
    whose block is positive definite. Eliminating the currents leaves a definite system
    for the potentials. It is quicker than LAPACK's solver for indefinite matrices, and
    gains from several threads where that one loses.

    Parameters
    ----------
    matrix : array of shape (n_unknowns, n_unknowns)
        Upper half filled.
    right : array of shape (n_unknowns, n_sensors)

    Returns
    -------
    array of shape (n_unknowns, n_sensors)
    """
    from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

    n = int((np.diag(matrix) < 0).sum())  # potentials
    factor = cholesky(matrix[n:, n:])
    across = solve_triangular(factor, matrix[:n, n:].T, trans="T")
    at_currents = solve_triangular(factor, right[n:], trans="T")
    reduced = cho_factor(across.T @ across - matrix[:n, :n], overwrite_a=True)
    potentials = cho_solve(reduced, across.T @ at_currents - right[:n])
    currents = solve_triangular(factor, at_currents - across @ potentials)
    return np.vstack([potentials, currents])


def _head_matrix(head: tuple[Shells, float, float]) -> NDArray:
    """Return the upper half of the symmetric matrix of the head, column by column."""
    from threadpoolctl import threadpool_limits

    openmeeg = _import_openmeeg()
    integrator = openmeeg.Integrator(*_HEAD_INTEGRATOR)
    with threadpool_limits(1), _silent():
        packed = openmeeg.HeadMat(_geometry(*head), integrator)
    return np.array(packed.array_flat())


def _source_matrix(
    head: tuple[Shells, float, float], dipoles: NDArray, compartment: str
) -> tuple[NDArray, NDArray]:
    """Return the rows of the right-hand side that are not zero, and their numbers."""
    from threadpoolctl import threadpool_limits

    openmeeg = _import_openmeeg()
    with threadpool_limits(1), _silent():
        sources = openmeeg.DipSourceMat(
            _geometry(*head),
            openmeeg.Matrix(np.asfortranarray(dipoles)),
            openmeeg.Integrator(*_SOURCE_INTEGRATOR),
            _DOMAINS[compartment],
        ).array()
    rows = np.flatnonzero(sources.any(axis=1))  # of the surfaces next to the dipoles
    return rows, sources[rows]


def _import_openmeeg() -> ModuleType:
    return import_optional("openmeeg", "head", "Building a head model")


def _unpack(packed: NDArray) -> NDArray:
    """Expand a packed symmetric matrix; only the upper half is filled."""
    from scipy.linalg.lapack import dtpttr

    n = int(np.sqrt(2 * len(packed)))  # n (n + 1) / 2 entries
    dense, _ = dtpttr(n, packed)
    return dense


def _to_dense(matrix) -> NDArray:
    """Read OpenMEEG's sparse matrix, whose entries Python sees only through a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.txt"
        matrix.save(str(path))
        rows, columns, values = np.loadtxt(path, skiprows=1, ndmin=2).T
    dense = np.zeros((matrix.nlin(), matrix.ncol()))
    dense[rows.astype(int), columns.astype(int)] = values
    return dense
