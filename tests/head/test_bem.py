"""The BEM against the analytic solution of concentric spheres."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import eval_legendre

from deepsif_lite.cortex import load_cortex
from deepsif_lite.head import (
    Shells,
    bem,
    clearance,
    fiducials,
    load_head_model,
    template_shells,
    topography_correlation,
)
from deepsif_lite.mesh import geodesic_sphere
from deepsif_lite.signals import average_reference

RADII = (0.078, 0.083, 0.090)  # m: inner skull, outer skull, scalp
SIGMAS = (0.33, 0.33 * 0.0125, 0.33)


def spheres(frequency, radii=RADII):
    directions, faces = geodesic_sphere(frequency)
    full = [np.full(len(directions), radius) for radius in radii]
    return Shells(np.zeros(3), directions, faces, *full)


def degree_gain(degree):
    """Scalp potential of the multipole field r**-(degree + 1) in nested spheres.

    Solves the interface conditions (continuous potential and normal current) for
    the unknown a_1, a_2, b_2, a_3, b_3 of a r**n + b r**-(n + 1), radii scaled to 1.
    """
    n, outer = degree, RADII[-1]
    r1, r2 = RADII[0] / outer, RADII[1] / outer
    s1, s2, s3 = SIGMAS

    def grow(r):
        return r**n, n * r ** (n - 1)

    def fall(r):
        return r ** -(n + 1), -(n + 1) * r ** -(n + 2)

    (g1, dg1), (f1, df1) = grow(r1), fall(r1)
    (g2, dg2), (f2, df2) = grow(r2), fall(r2)
    (_, dg3), (_, df3) = grow(1.0), fall(1.0)
    system = np.array(
        [
            [g1, -g1, -f1, 0, 0],
            [s1 * dg1, -s2 * dg1, -s2 * df1, 0, 0],
            [0, g2, f2, -g2, -f2],
            [0, s2 * dg2, s2 * df2, -s3 * dg2, -s3 * df2],
            [0, 0, 0, dg3, df3],
        ]
    )
    right = np.array([-f1, -s1 * df1, 0, 0, 0])
    *_, a3, b3 = np.linalg.solve(system, right)
    return a3 + b3


def analytic(electrodes, height, moment, n_degrees=60):
    """Potential of a dipole at (0, 0, height) with a moment in the x-z plane."""
    outer = RADII[-1]
    unit = electrodes / np.linalg.norm(electrodes, axis=1, keepdims=True)
    cosine, azimuth = unit[:, 2], np.arctan2(unit[:, 1], unit[:, 0])
    sine = np.sqrt(1 - cosine**2)
    total = np.zeros(len(unit))
    for n in range(1, n_degrees + 1):
        legendre = eval_legendre(n, cosine)
        below = eval_legendre(n - 1, cosine)
        safe = np.where(sine > 1e-12, sine, 1)
        associated = n * (below - cosine * legendre) / safe  # sin * P_n'
        source = (height / outer) ** (n - 1) / outer**2
        shape = n * moment[2] * legendre + moment[0] * np.cos(azimuth) * associated
        total += degree_gain(n) * source * shape
    return total / (4 * np.pi * SIGMAS[0])


@pytest.fixture(scope="module")
def gains():
    """Gain of dipoles at several depths, radial and tangential, and its oracle."""
    pytest.importorskip("openmeeg")
    shells = spheres(7)
    directions, _ = geodesic_sphere(3)
    electrodes = directions * RADII[-1]
    cases = [
        (height, moment)
        for height in (0.02, 0.05, 0.06)
        for moment in ((0, 0, 1.0), (1.0, 0, 0), (0.6, 0, 0.8))
    ]
    positions = np.array([(0, 0, height) for height, _ in cases])
    moments = np.array([moment for _, moment in cases])
    gain = bem.eeg_gain(shells, electrodes, positions, moments)
    oracle = np.column_stack([analytic(electrodes, h, m) for h, m in cases])
    return electrodes, gain - gain.mean(axis=0), oracle - oracle.mean(axis=0)


def test_spheres_match_the_analytic_solution(gains):
    _, gain, oracle = gains
    difference = np.linalg.norm(gain - oracle, axis=0) / np.linalg.norm(oracle, axis=0)
    correlation = (gain * oracle).sum(axis=0) / np.sqrt(
        (gain**2).sum(axis=0) * (oracle**2).sum(axis=0)
    )
    assert difference.max() < 0.01
    assert correlation.min() > 0.9999


def test_oracle_agrees_with_mne_sphere_model(gains):
    """MNE approximates the series by three dipoles (Berg and Scherg): within 2 %."""
    import mne

    electrodes, _, oracle = gains
    names = [f"E{k}" for k in range(len(electrodes))]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, electrodes, strict=True)),
        nasion=(0, 0.09, 0),
        lpa=(-0.09, 0, 0),
        rpa=(0.09, 0, 0),
        coord_frame="head",
    )
    info = mne.create_info(names, 500.0, "eeg").set_montage(montage)
    sphere = mne.make_sphere_model(
        (0.0, 0.0, 0.0),
        RADII[-1],
        relative_radii=np.array(RADII) / RADII[-1],
        sigmas=SIGMAS,
        verbose=False,
    )
    dipoles = mne.setup_volume_source_space(
        pos={"rr": np.array([[0, 0, 0.05]]), "nn": np.array([[0, 0, 1.0]])},
        sphere_units="m",
        sphere=(0.0, 0.0, 0.0, RADII[-1]),
        verbose=False,
    )
    forward = mne.make_forward_solution(
        info, None, dipoles, sphere, meg=False, verbose=False
    )
    gain = forward["sol"]["data"]
    radial = gain[:, 2] - gain[:, 2].mean()
    truth = oracle[:, 3]  # radial at 0.05 m
    assert np.linalg.norm(radial - truth) < 0.02 * np.linalg.norm(truth)


def test_radial_dipole_is_positive_above_it(gains):
    electrodes, gain, _ = gains
    radial = gain[:, 6]
    assert radial.argmax() == electrodes[:, 2].argmax()
    assert radial.max() > 0


def test_gain_is_linear_in_the_moment(gains):
    _, gain, _ = gains
    for k in (0, 3, 6):
        mixed = 0.8 * gain[:, k] + 0.6 * gain[:, k + 1]
        np.testing.assert_allclose(gain[:, k + 2], mixed, atol=1e-9 * gain.max())


def test_the_number_of_processes_does_not_change_the_gain():
    pytest.importorskip("openmeeg")
    shells = spheres(3)
    electrodes = RADII[-1] * np.eye(3)
    rng = np.random.default_rng(0)
    positions = rng.uniform(-0.03, 0.03, (5, 3))
    moments = rng.normal(size=(5, 3))
    one, two = (
        bem.eeg_gain(shells, electrodes, positions, moments, n_jobs=n) for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_the_head_is_solved_as_by_lapack():
    """Two Cholesky factorizations against the solver for symmetric matrices."""
    pytest.importorskip("openmeeg")
    from scipy.linalg import solve

    matrix = bem._unpack(bem._head_matrix((spheres(3), SIGMAS[0], 0.0125)))
    right = np.random.default_rng(0).normal(size=(len(matrix), 4))
    expected = solve(matrix, right, assume_a="sym")
    found = bem._solve_head(matrix, right)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_cheaper_integrals_keep_the_gain(monkeypatch):
    """OpenMEEG's own default rules, and finer ones for the dipoles, for comparison."""
    pytest.importorskip("openmeeg")
    shells = spheres(4)
    directions, _ = geodesic_sphere(3)
    rng = np.random.default_rng(1)
    rays = rng.normal(size=(30, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    positions = rays * rng.uniform(0.02, RADII[0] - 2e-3, 30)[:, None]
    moments = rng.normal(size=(30, 3))
    electrodes = directions * RADII[-1]
    quick = bem.eeg_gain(shells, electrodes, positions, moments)
    monkeypatch.setattr(bem, "_HEAD_INTEGRATOR", (3, 0, 0.005))
    monkeypatch.setattr(bem, "_SOURCE_INTEGRATOR", (3, 10, 1e-4))
    fine = bem.eeg_gain(shells, electrodes, positions, moments)
    quick, fine = quick - quick.mean(axis=0), fine - fine.mean(axis=0)
    error = np.linalg.norm(quick - fine, axis=0) / np.linalg.norm(fine, axis=0)
    assert error.max() < 2e-3


def sarvas(sensors, directions, positions, moments):
    """Magnetic field of dipoles in any sphere around the origin (Sarvas 1987)."""
    field = np.empty((len(sensors), len(positions)))
    for k, (place, moment) in enumerate(zip(positions, moments, strict=True)):
        apart = sensors - place
        a = np.linalg.norm(apart, axis=1)
        r = np.linalg.norm(sensors, axis=1)
        along = (apart * sensors).sum(axis=1)
        f = a * (r * a + r**2 - sensors @ place)
        grad = (a**2 / r + along / a + 2 * a + 2 * r)[:, None] * sensors
        grad -= (a + 2 * r + along / a)[:, None] * place
        cross = np.cross(moment, place)
        b = f[:, None] * cross - (sensors @ cross)[:, None] * grad
        field[:, k] = 1e-7 * ((b * directions).sum(axis=1) / f**2)
    return field


def test_magnetic_field_matches_sarvas():
    pytest.importorskip("openmeeg")
    shells = spheres(5)
    directions, _ = geodesic_sphere(2)
    sensors = 0.11 * directions
    rng = np.random.default_rng(0)
    tilted = directions + 0.3 * rng.normal(size=directions.shape)
    tilted /= np.linalg.norm(tilted, axis=1, keepdims=True)
    positions = np.array([[0, 0, 0.05], [0.02, 0.03, 0.03], [0, 0, 0.05]])
    moments = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    gain = bem.meg_gain(shells, sensors, tilted, positions, moments)
    oracle = sarvas(sensors, tilted, positions, moments)
    for k in (0, 1):
        error = np.linalg.norm(gain[:, k] - oracle[:, k])
        assert error < 0.02 * np.linalg.norm(oracle[:, k])
    # A radial dipole in a sphere is silent.
    assert np.abs(gain[:, 2]).max() < 0.03 * np.abs(gain[:, 0]).max()


def test_magnetometers_inside_the_head_are_refused():
    with pytest.raises(ValueError, match="magnetometers"):
        bem.meg_gain(
            spheres(2), 0.05 * np.eye(3), np.eye(3), np.zeros((1, 3)), np.eye(3)[:1]
        )


def test_crossing_shells_are_refused():
    shells = spheres(2, (0.080, 0.079, 0.090))
    with pytest.raises(ValueError, match="touch or cross"):
        bem.eeg_gain(shells, np.eye(3) * 0.09, np.zeros((1, 3)), np.eye(3)[:1])


def test_dipole_outside_the_brain_is_refused():
    with pytest.raises(ValueError, match="outside the inner skull"):
        bem.eeg_gain(
            spheres(2),
            np.eye(3) * 0.09,
            np.array([[0, 0, 0.05], [0, 0, 0.0785]]),
            np.eye(3)[:2],
        )


def mne_gain(shells, electrodes, positions, normals, solver):
    """Gain by MNE's boundary elements on the same shells."""
    import mne
    from mne.io.constants import FIFF

    surfaces = []
    for name, part, sigma in (
        ("scalp", FIFF.FIFFV_BEM_SURF_ID_HEAD, SIGMAS[2]),
        ("outer_skull", FIFF.FIFFV_BEM_SURF_ID_SKULL, SIGMAS[1]),
        ("inner_skull", FIFF.FIFFV_BEM_SURF_ID_BRAIN, SIGMAS[0]),
    ):
        surface = {
            "id": part,
            "sigma": sigma,
            "rr": shells.surface(name),
            "np": len(shells.directions),
            "tris": shells.faces,
            "ntri": len(shells.faces),
            "coord_frame": FIFF.FIFFV_COORD_MRI,
        }
        surfaces.append(mne.surface.complete_surface_info(surface, verbose=False))
    solution = mne.make_bem_solution(surfaces, solver=solver, verbose=False)
    left, nasion, right = fiducials()
    landmarks = {"nasion": nasion, "lpa": left, "rpa": right, "coord_frame": "mri"}
    names = [f"E{k}" for k in range(len(electrodes))]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, electrodes, strict=True)), **landmarks
    )
    info = mne.create_info(names, 500.0, "eeg", verbose=False).set_montage(montage)
    trans = mne.channels.compute_native_head_t(
        mne.channels.make_dig_montage(**landmarks)
    )
    dipoles = mne.setup_volume_source_space(
        pos={"rr": positions, "nn": normals}, sphere_units="m", verbose=False
    )
    forward = mne.make_forward_solution(
        info, trans, dipoles, solution, meg=False, verbose=False
    )
    along_axes = forward["sol"]["data"].reshape(len(names), -1, 3)
    in_head = normals @ trans["trans"][:3, :3].T  # MRI to head
    return np.einsum("cvk,vk->cv", along_axes, in_head)


def sources_at_depth(shells, least, step):
    """Every ``step``-th vertex of the cortex that lies so far inside the skull."""
    cortex = load_cortex()
    vertices = np.arange(0, len(cortex.vertices), step)
    deep = clearance(shells, cortex.vertices[vertices]) > least
    vertices = vertices[deep]
    return cortex.vertices[vertices], cortex.normals[vertices]


def size_ratio(a, b):
    a, b = average_reference(a), average_reference(b)
    return np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)


def test_openmeeg_through_mne_gives_the_same_gain():
    """The same method, other code: the whole matrix inverted, finest integrators."""
    pytest.importorskip("openmeeg")
    shells = template_shells(3)
    electrodes = shells.project(load_head_model("template-75").sensors[::3])
    positions, normals = sources_at_depth(shells, 2e-3, 400)
    ours = bem.eeg_gain(shells, electrodes, positions, normals)
    theirs = mne_gain(shells, electrodes, positions, normals, "openmeeg")
    assert topography_correlation(ours, theirs).min() > 0.9999
    np.testing.assert_allclose(size_ratio(ours, theirs), 1, atol=0.01)


@pytest.mark.slow
def test_template_head_agrees_with_mne_boundary_elements():
    """MNE's linear collocation on the same shells, another method and code."""
    pytest.importorskip("openmeeg")
    shells = template_shells(8)
    electrodes = load_head_model("template-75").sensors
    # Collocation is inaccurate next to a surface; keep one mesh width away.
    positions, normals = sources_at_depth(shells, 0.012, 15)
    ours = bem.eeg_gain(shells, electrodes, positions, normals)
    theirs = mne_gain(shells, electrodes, positions, normals, "mne")
    r = topography_correlation(ours, theirs)
    assert np.median(r) > 0.99
    assert np.percentile(r, 5) > 0.95
    assert np.median(size_ratio(ours, theirs)) == pytest.approx(1, abs=0.15)
