from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.optimize import minimize
from scipy.stats import chi2

import deepsif_lite as dl
from deepsif_lite.cortex import TEMPORAL, brodmann_regions
from deepsif_lite.errors import OptionError, SignalError, WindowError
from deepsif_lite.solvers import (
    get_solver,
    noise_covariance,
    solve_fast_ires,
    spike_courses,
    whiten,
)
from deepsif_lite.solvers.edge_sparse import (
    EdgeSparse,
    Limits,
    Weights,
    admm,
    edge_operator,
    fista,
    mesh_weights,
    rim_of,
)
from deepsif_lite.solvers.ellipsoid import Ellipsoid
from deepsif_lite.solvers.fast_ires import ALPHA
from deepsif_lite.solvers.time_basis import orthonormal, principal_courses

SPIKES = "fast-ires/Spikes/Spike_I/data_spk_tot.mat"
COURSES = "fast-ires/Spikes/Spike_I/TBF.mat"
SPIKE, ELECTRODES = (
    "fast-ires/Spikes/Spike_I/Data_Avg.mat",
    "fast-ires/Raw 273/273_ele_ERD.xyz",
)
N_CHANNELS, N_REGIONS, N_COURSES = 6, 10, 2
LONG = Limits(admm=5000, fista=200, change=0.0)


@pytest.fixture(params=[0, 1, 2])
def small(request):
    """Ten regions in a ring, six channels, two time courses, and noisy data."""
    rng = np.random.default_rng(request.param)
    gain = rng.standard_normal((N_CHANNELS, N_REGIONS))
    currents = np.zeros((N_REGIONS, N_COURSES))
    currents[2:5] = [3.0, -2.0]
    data = gain @ currents + 0.3 * rng.standard_normal((N_CHANNELS, N_COURSES))
    bound = 0.05 * (data**2).sum()
    u, values, vectors = np.linalg.svd(gain, full_matrices=False)
    ring = np.roll(np.eye(N_REGIONS, dtype=bool), 1, axis=1)
    return SimpleNamespace(
        gain=gain,
        data=data,
        bound=bound,
        ellipsoid=Ellipsoid(vectors, values, u.T @ data, bound),
        edges=edge_operator(ring | ring.T),
        rng=rng,
    )


def least(cost, slope, start, small, n_parts):
    """Minimize by SciPy over X = first part minus second part of the variables."""

    def currents(variables):
        parts = variables[: n_parts * N_REGIONS * N_COURSES]
        parts = parts.reshape(n_parts, N_REGIONS, N_COURSES)
        return parts[0] if n_parts == 1 else parts[0] - parts[1]

    def room(variables):
        return (
            small.bound - ((small.data - small.gain @ currents(variables)) ** 2).sum()
        )

    def room_slope(variables):
        residual = small.data - small.gain @ currents(variables)
        one = 2 * (small.gain.T @ residual).ravel()
        slopes = np.zeros(len(variables))
        slopes[: one.size] = one
        if n_parts == 2:
            slopes[one.size : 2 * one.size] = -one
        return slopes

    done = minimize(
        cost,
        start,
        jac=slope,
        method="SLSQP",
        bounds=None if n_parts == 1 else [(0, None)] * len(start),
        constraints={"type": "ineq", "fun": room, "jac": room_slope},
        options={"ftol": 1e-14, "maxiter": 2000},
    )
    assert room(done.x) > -1e-7 * small.bound
    return currents(done.x)


def test_projection_is_the_nearest_point(small):
    point = 3 * small.rng.standard_normal((N_REGIONS, N_COURSES))
    flat = point.ravel()
    expected = least(
        lambda x: ((x - flat) ** 2).sum(), lambda x: 2 * (x - flat), flat, small, 1
    )
    for start in (0.0, 1e-3, 1e3):
        nearest, _ = small.ellipsoid.project(point, start)
        np.testing.assert_allclose(nearest, expected, atol=1e-6)
        residual = small.data - small.gain @ nearest
        assert (residual**2).sum() == pytest.approx(small.bound, rel=1e-9)
        assert small.ellipsoid.misfit(nearest) == pytest.approx(small.bound, rel=1e-9)


def test_a_point_inside_is_its_own_projection(small):
    exact = np.linalg.pinv(small.gain) @ small.data
    nearest, multiplier = small.ellipsoid.project(exact)
    np.testing.assert_array_equal(nearest, exact)
    assert multiplier == 0


def test_fista_minimizes_with_norm_and_ellipsoid(small):
    penalty, edges = 1.3, small.edges.toarray()
    target = small.rng.standard_normal((N_REGIONS, N_COURSES))
    weights = small.rng.uniform(0.2, 2.0, (N_REGIONS, N_COURSES))

    def value(currents):
        smooth = penalty / 2 * ((edges @ currents - target) ** 2).sum()
        return smooth + (weights * np.abs(currents)).sum()

    def cost(variables):
        plus, minus = variables.reshape(2, N_REGIONS, N_COURSES)
        smooth = penalty / 2 * ((edges @ (plus - minus) - target) ** 2).sum()
        return smooth + (weights * (plus + minus)).sum()

    def slope(variables):
        plus, minus = variables.reshape(2, N_REGIONS, N_COURSES)
        smooth = penalty * edges.T @ (edges @ (plus - minus) - target)
        return np.concatenate([(smooth + weights).ravel(), (weights - smooth).ravel()])

    problem = EdgeSparse(small.edges, small.ellipsoid)
    guess = small.rng.standard_normal((N_REGIONS, N_COURSES))
    start = np.stack([np.maximum(guess, 0), np.maximum(-guess, 0)]).ravel()
    expected = least(cost, slope, start, small, 2)
    state = problem.start(guess, penalty)
    fista(problem, target, weights, state, Limits(1, 20000, 0.0))
    assert value(state.currents) == pytest.approx(value(expected), rel=1e-6)
    np.testing.assert_allclose(state.currents, expected, atol=1e-3)


def test_admm_minimizes_edges_and_regions(small):
    """SciPy solves the same with every norm as a sum of positive parts."""
    edges, size = small.edges.toarray(), N_REGIONS * N_COURSES
    weights = Weights(
        small.rng.uniform(0.2, 1.0, (N_REGIONS, N_COURSES)),
        small.rng.uniform(0.2, 1.0, (N_REGIONS, N_COURSES)),
    )
    both = np.kron(edges, np.eye(N_COURSES))
    prices = np.concatenate([weights.regions.ravel()] * 2 + [weights.edges.ravel()])
    # x = p - m; e >= |V x|
    above = np.block([[-both, both, np.eye(size)], [both, -both, np.eye(size)]])
    guess = np.linalg.pinv(small.gain) @ small.data
    parts = [np.maximum(guess, 0).ravel(), np.maximum(-guess, 0).ravel()]
    start = np.concatenate([*parts, np.abs(edges @ guess).ravel()])

    def residual(variables):
        x = (variables[:size] - variables[size : 2 * size]).reshape(N_REGIONS, -1)
        return small.data - small.gain @ x

    def slope(variables):
        one = 2 * (small.gain.T @ residual(variables)).ravel()
        return np.concatenate([one, -one, np.zeros(size)])

    done = minimize(
        lambda v: prices @ v,
        start,
        jac=lambda v: prices,
        method="SLSQP",
        bounds=[(0, None)] * len(start),
        constraints=[
            {
                "type": "ineq",
                "fun": lambda v: small.bound - (residual(v) ** 2).sum(),
                "jac": slope,
            },
            {"type": "ineq", "fun": lambda v: above @ v, "jac": lambda v: above},
        ],
        options={"ftol": 1e-13, "maxiter": 2000},
    )
    problem = EdgeSparse(small.edges, small.ellipsoid)
    state = problem.start(guess, 1.0)
    history = admm(problem, weights, state, LONG)
    assert max(history[-1].primal, history[-1].dual) <= 1
    assert history[-1].objective == pytest.approx(done.fun, rel=1e-3)
    assert history[-1].misfit == pytest.approx(1, abs=1e-6)


def test_edges_are_differences_of_neighbors():
    adjacency = dl.load_cortex(120).adjacency
    values = np.random.default_rng(0).standard_normal(120)
    found = np.sort(np.abs(edge_operator(adjacency) @ values))
    expected = [
        abs(values[i] - values[j])
        for i in range(120)
        for j in range(i)
        if adjacency[i, j]
    ]
    np.testing.assert_allclose(found, np.sort(expected))


def test_triangles_and_borders_are_counted():
    """Squares cut in triangles: four regions of other sizes, and a row without."""
    rows, columns = 7, 6
    region = np.array([[0] * 4 + [1] * 2] * 3 + [[2] * 3 + [3] * 3] * 3 + [[-1] * 6])
    corner = np.arange(rows * columns).reshape(rows, columns)
    squares = [
        (corner[i, j], corner[i, j + 1], corner[i + 1, j], corner[i + 1, j + 1])
        for i in range(rows - 1)
        for j in range(columns - 1)
    ]
    faces = np.array([t for a, b, c, d in squares for t in ((a, b, c), (b, d, c))])
    # Nearly all triangles lean to the side of two of their corners.
    owner = np.median(region.ravel()[faces], axis=1).astype(int)
    border = np.zeros((5, 5))
    for i in range(len(faces)):
        for j in range(i):
            if len(set(faces[i]) & set(faces[j])) == 2:
                border[owner[i], owner[j]] += 1
    border += border.T
    touching = border[:4, :4] * (1 - np.eye(4)) > 0
    cortex = SimpleNamespace(
        faces=faces, region_of_vertex=region.ravel(), n_regions=4, adjacency=touching
    )
    weights = mesh_weights(cortex)
    pairs = border[:4, :4][np.triu(touching)]
    triangles = np.array([(owner == k).sum() for k in range(4)])
    np.testing.assert_allclose(weights.regions[:, 0], triangles / pairs.mean())
    at_wall = border[rim_of(cortex), -1]
    assert at_wall.all()
    np.testing.assert_allclose(
        weights.edges[:, 0], np.r_[pairs, at_wall] / pairs.mean()
    )


def test_regions_that_touch_at_a_corner_share_one_edge():
    faces = np.array([(0, 1, 2), (2, 3, 4)])
    cortex = SimpleNamespace(
        faces=faces,
        region_of_vertex=np.array([0, 0, 0, 1, 1]),
        n_regions=2,
        adjacency=~np.eye(2, dtype=bool),
    )
    weights = mesh_weights(cortex)
    np.testing.assert_array_equal(weights.regions, [[1], [1]])
    np.testing.assert_array_equal(weights.edges, [[1]])


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def recordings(head):
    stream = dl.SyntheticEEG(
        head, dl.load_spike_library(), n_sources=1, seed=123, sensor_snr=(15.0,)
    )
    return [stream[k] for k in range(6)]


@pytest.fixture(scope="module")
def solutions(head, recordings):
    return [solve_fast_ires(each.eeg, head) for each in recordings]


def test_a_planted_patch_comes_back(head, recordings, solutions):
    recall, precision, error = [], [], []
    for sample, solution in zip(recordings, solutions, strict=True):
        found, (truth,) = solution.patch(), sample.patches
        recall.append(np.isin(truth, found).mean())
        precision.append(np.isin(found, truth).mean())
        apart = head.cortex.distances[np.ix_(found, truth)].min(axis=1)
        error.append(apart.mean())
    assert np.mean(recall) > 0.8
    assert np.mean(precision) > 0.45
    assert np.median(error) < 0.01


@pytest.mark.parametrize("bound", ["sum", "samples"])
@pytest.mark.parametrize("given", [False, True])
def test_the_constraint_holds(head, recordings, bound, given):
    """Counted on the data themselves, not on their singular vectors."""
    eeg = recordings[0].eeg.astype(float)
    noise = np.random.default_rng(0).standard_normal((300, 75))
    cov = noise_covariance(noise * np.linspace(0.5, 2, 75)) if given else None
    solution = solve_fast_ires(eeg, head, noise_cov=cov, bound=bound)
    data, gain = whiten(eeg, head, cov)
    misfit = ((data - gain @ solution.activity.T) ** 2).sum() / solution.noise**2
    if bound == "sum":
        expected = chi2.ppf(0.95, 74 * 500)
    else:
        expected = 500 * chi2.ppf(0.9, 74)
    assert solution.bound == pytest.approx(expected, rel=1e-9)
    assert misfit <= expected * (1 + 1e-6)
    assert misfit == pytest.approx(solution.misfit, rel=1e-9)
    assert misfit == pytest.approx(expected, rel=1e-6)


def test_the_history_shows_convergence(head, recordings, solutions):
    history = solutions[0].history
    assert [step.weighting for step in history] == sorted(s.weighting for s in history)
    assert solutions[0].n_weightings == history[-1].weighting + 1 <= 10
    assert max(step.n_fista for step in history) <= 20
    eeg = recordings[0].eeg
    short, long = (
        solve_fast_ires(eeg, head, n_weightings=1, n_admm=n).history for n in (20, 3000)
    )
    assert len(short) == 20
    assert long[-1].primal < short[-1].primal / 5
    assert long[-1].dual < short[-1].dual / 5
    assert long[-1].objective < short[-1].objective


@pytest.mark.parametrize("factor", [1e-6, 1e4])
def test_a_stronger_eeg_has_stronger_currents(head, recordings, solutions, factor):
    scaled = solve_fast_ires(factor * recordings[1].eeg, head).activity
    expected = factor * solutions[1].activity
    np.testing.assert_allclose(scaled, expected, atol=1e-4 * np.abs(expected).max())


def test_strength_of_the_covariance_does_not_matter(head, recordings):
    cov = np.diag(np.linspace(1, 3, 75))
    one, other = (
        solve_fast_ires(recordings[2].eeg, head, noise_cov=c * cov).activity
        for c in (1.0, 1e-12)
    )
    np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(one).max())


def test_the_solver_returns_the_activity(head, recordings, solutions):
    activity = get_solver("fast-ires")(recordings[0].eeg, head)
    assert activity.shape == (500, 994)
    np.testing.assert_array_equal(activity, solutions[0].activity)


def test_noise_alone_has_no_image(head):
    rng = np.random.default_rng(0)
    noise, course = rng.standard_normal((500, 75)), rng.standard_normal((1, 500))
    with pytest.warns(UserWarning, match="Noise alone explains the EEG"):
        solution = solve_fast_ires(noise, head, time_courses=course)
    assert not solution.activity.any()
    assert len(solution.patch()) == 0
    assert solution.n_weightings == 0


def test_given_time_courses_are_used(head, recordings):
    eeg = recordings[0].eeg
    strongest = np.linalg.svd(eeg, full_matrices=False)[0][:, :2].T
    mixed = np.array([[2.0, 1.0], [0.0, 5.0]]) @ strongest
    solution = solve_fast_ires(eeg, head, time_courses=mixed)
    np.testing.assert_allclose(
        solution.courses @ solution.courses.T, np.eye(2), atol=1e-9
    )
    # The same span.
    np.testing.assert_allclose(
        solution.courses.T @ solution.courses, strongest.T @ strongest, atol=1e-6
    )


def test_orthonormal_courses_are_the_nearest():
    rng = np.random.default_rng(0)
    courses = rng.standard_normal((3, 8))
    shapes = courses / np.linalg.norm(courses, axis=1, keepdims=True)
    best = np.linalg.norm(orthonormal(courses) - shapes)
    for _ in range(200):
        turned, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        span = np.linalg.qr(courses.T)[0].T
        assert np.linalg.norm(turned @ span - shapes) >= best
    np.testing.assert_allclose(orthonormal(orthonormal(courses)), orthonormal(courses))
    with pytest.raises(WindowError, match="depend on each other"):
        orthonormal(np.vstack([courses, courses[0]]))


def test_separate_sources_have_their_own_courses():
    """Two pulses, whose principal components are their sum and difference."""
    times = np.linspace(-1, 1, 400)
    pulses = np.exp(-(((times - np.array([[-0.4], [0.4]])) / 0.1) ** 2))
    rng = np.random.default_rng(0)
    maps = np.linalg.qr(rng.standard_normal((30, 2)))[0]
    data = maps @ pulses + 0.01 * rng.standard_normal((30, 400))
    found = principal_courses(data)
    alike = np.abs(found @ (pulses / np.linalg.norm(pulses, axis=1, keepdims=True)).T)
    assert sorted(np.argmax(alike, axis=1)) == [0, 1]
    assert alike.max(axis=1).min() > 0.97


def spikes_of(rng):
    """Eight epochs: one course in all of them in the middle, five that go on."""
    pulse = np.exp(-(((np.arange(600) - 300) / 25) ** 2))
    maps = rng.standard_normal((6, 20))
    going = rng.laplace(size=(8, 600, 5)) @ maps[:5]
    return going + 12 * pulse[:, None] * maps[5], pulse


def test_the_course_of_a_spike_is_found():
    spikes, pulse = spikes_of(np.random.default_rng(0))
    found = spike_courses(spikes, slice(250, 350))
    assert len(found) == 1
    assert abs(np.corrcoef(found[0], pulse)[0, 1]) > 0.95


def test_bad_options_are_refused(head, recordings):
    eeg = recordings[0].eeg
    for options, match in (
        ({"alpha": 0}, "alpha=0"),
        ({"bound": "none"}, "bound='none'"),
        ({"n_admm": 0}, "n_admm=0"),
    ):
        with pytest.raises(OptionError, match=match):
            solve_fast_ires(eeg, head, **options)
    with pytest.raises(SignalError, match="time_courses has shape"):
        solve_fast_ires(eeg, head, time_courses=np.ones((1, 3)))
    spikes = np.ones((2, 10, 4))
    with pytest.raises(WindowError, match="within="):
        spike_courses(spikes, slice(0, 10))
    with pytest.raises(SignalError, match="spikes has shape"):
        spike_courses(spikes[0], slice(2, 5))


@pytest.mark.published(SPIKES, COURSES)
def test_courses_of_the_published_spikes_are_those_published(published):
    """The authors kept five by eye; what the rule keeps lies in their span."""
    theirs, ours, _ = _published_courses(published)
    bases = [np.linalg.qr(courses.T)[0] for courses in (ours, theirs)]
    alike = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    assert len(ours) <= len(theirs)
    assert alike.min() > 0.95


@pytest.mark.published(SPIKES, COURSES, SPIKE, ELECTRODES)
@pytest.mark.parametrize("courses", ["average", "single spikes", "published"])
@pytest.mark.parametrize(
    ("noise", "alpha"),  # other covariances have the variances of the diagonal one
    [(None, ALPHA), ("diagonal", ALPHA), ("diagonal", 4 * ALPHA)],
)
def test_the_published_patient_is_imaged_in_the_left_temporal_lobe(
    published, noise, alpha, courses
):
    from deepsif_lite.imaging.recorded import prepare_as_recorded

    theirs, ours, window = _published_courses(published)
    given = {"average": None, "single spikes": ours, "published": theirs}[courses]
    ready, cap = prepare_as_recorded(dl.load_recording("patient-spike"), None)
    baseline, eeg = ready.data.T[:750], ready.data.T[window]
    cov = noise_covariance(baseline, noise) if noise else None
    eeg = eeg - baseline.mean(axis=0)
    solution = solve_fast_ires(eeg, cap, noise_cov=cov, time_courses=given, alpha=alpha)
    power = (solution.activity[199:351] ** 2).mean(axis=0)
    left = cap.cortex.hemisphere == "lh"
    temporal = np.isin(np.arange(len(power)), brodmann_regions(cap.cortex, TEMPORAL))
    assert (left & temporal)[power.argmax()]
    assert power[left & temporal].sum() > power[~left].sum()


def test_correlations_of_the_noise_are_not_used(head, recordings):
    mixing = np.random.default_rng(5).standard_normal((75, 75))
    cov = mixing @ mixing.T
    eeg = recordings[0].eeg.astype(float)
    one, other = (
        solve_fast_ires(eeg, head, noise_cov=c).activity
        for c in (cov, np.diag(np.diag(cov)))
    )
    np.testing.assert_array_equal(one, other)


def test_a_region_at_the_medial_wall_has_an_edge_there(head):
    cortex = head.cortex
    rim = rim_of(cortex)
    corners = cortex.region_of_vertex[cortex.faces]
    mixed = corners[(corners < 0).any(axis=1) & (corners >= 0).any(axis=1)]
    assert len(rim) > 0
    assert np.isin(rim, mixed).all()
    edges = edge_operator(cortex.adjacency, rim)
    values = np.random.default_rng(0).standard_normal(cortex.n_regions)
    inner = edge_operator(cortex.adjacency)
    np.testing.assert_allclose(edges @ values, np.r_[inner @ values, values[rim]])


def _published_courses(published):
    """Return their time courses and ours, within their window of samples."""
    window = slice(749, 1250)
    theirs = loadmat(published(COURSES))["TBF"]
    return theirs[:, window], _courses_of(published(SPIKES))[:, window], window


@lru_cache(maxsize=1)
def _courses_of(path):
    spikes = loadmat(path)["data_spk_tot"].astype(float)
    spikes = spikes.reshape(75, 5, 2001).transpose(1, 2, 0)
    return spike_courses(spikes, slice(799, 1250))
