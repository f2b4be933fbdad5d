"""Eyes and muscles: the analytic solution, OpenMEEG at electrodes, known topographies."""

import numpy as np
import pytest
from numpy.polynomial import legendre

import deepsif_lite as dl
from deepsif_lite.artifacts import read_artifact
from deepsif_lite.errors import OptionError
from deepsif_lite.head import (
    Shells,
    eeg_gain,
    fiducials,
    load_artifact_sources,
    load_shells,
    place_artifacts,
)
from deepsif_lite.head.shells import check_inside
from deepsif_lite.mesh import geodesic_sphere
from deepsif_lite.signals import average_reference

RADII = (0.03, 0.04, 0.105)  # m; so few triangles want a thick scalp
SIGMAS = (0.33, 0.33 * 0.0125, 0.33)
DEGREES = np.arange(1, 200)


@pytest.fixture(scope="module")
def sources():
    return load_artifact_sources()


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


def of_eyes(sources, head, axis, variant=0):
    """Topography of both eyes, average reference, largest magnitude 1, by name."""
    sites = sources.sites
    pair = (sites.kind == "eye") & (sites.variant == variant)
    field = average_reference(sources.at(head.sensors)[:, pair].sum(axis=1) @ axis)
    return dict(zip(head.ch_names, field / np.abs(field).max(), strict=True))


# ------------------------------------------------------------------ the fields


def lead_field(radius):
    """Expand the potential of a unit current into an electrode on nested spheres.

    By reciprocity, its gradient in the scalp is what the electrode sees of a dipole.
    Returns coefficients of the Legendre polynomials, and their radial derivative.
    """
    n, inner, scale = DEGREES, RADII[:2], RADII[2]
    grow, fall = np.ones(len(n)), np.zeros(len(n))
    for border, below, above in zip(inner, SIGMAS, SIGMAS[1:], strict=False):
        r = border / scale
        value = grow * r**n + fall * r ** -(n + 1.0)
        slope = n * grow * r**n - (n + 1) * fall * r ** -(n + 1.0)
        slope *= below / above  # the normal current is continuous
        grow = ((n + 1) * value + slope) / ((2 * n + 1) * r**n)
        fall = (n * value - slope) * r ** (n + 1.0) / (2 * n + 1)
    injected = (2 * n + 1) / (4 * np.pi * scale * SIGMAS[2])
    size = injected / (n * grow - (n + 1) * fall)
    r = radius / scale
    value = size * (grow * r**n + fall * r ** -(n + 1.0))
    slope = size * (n * grow * r**n - (n + 1) * fall * r ** -(n + 1.0)) / radius
    return np.append(0, value), np.append(0, slope)


def analytic(electrodes, height, moment):
    """Potential of a dipole at (0, 0, height) with a moment in the x-z plane."""
    unit = electrodes / np.linalg.norm(electrodes, axis=1, keepdims=True)
    value, slope = lead_field(height)
    radial = legendre.legval(unit[:, 2], slope)
    tangential = legendre.legval(unit[:, 2], legendre.legder(value)) / height
    return moment[2] * radial + moment[0] * unit[:, 0] * tangential


def test_a_dipole_in_the_scalp_has_its_analytic_field():
    pytest.importorskip("openmeeg")
    directions, faces = geodesic_sphere(5)
    full = [np.full(len(directions), radius) for radius in RADII]
    shells = Shells(np.zeros(3), directions, faces, *full)
    # Not below a vertex, where boundary elements are worst.
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))
    electrodes = geodesic_sphere(3)[0] * RADII[2]
    height = 0.06
    moments = np.array([(0, 0, 1.0), (1.0, 0, 0), (0.6, 0, 0.8)])
    gain = eeg_gain(
        shells,
        electrodes @ turn.T,
        np.tile(turn @ (0, 0, height), (len(moments), 1)),
        moments @ turn.T,
        compartment="scalp",
    )
    oracle = np.column_stack([analytic(electrodes, height, m) for m in moments])
    gain, oracle = average_reference(gain), average_reference(oracle)
    error = np.linalg.norm(gain - oracle, axis=0) / np.linalg.norm(oracle, axis=0)
    assert error.max() < 0.04


def test_dipoles_outside_their_compartment_are_refused(sources):
    shells, positions = load_shells(), sources.sites.positions
    check_inside(shells, positions, "scalp")
    with pytest.raises(ValueError, match="155 dipoles lie outside the inner skull"):
        check_inside(shells, positions)
    brain = np.vstack([positions, shells.center])
    with pytest.raises(ValueError, match=r"1 dipoles lie outside the scalp.*155"):
        check_inside(shells, brain, "scalp")
    pytest.importorskip("openmeeg")
    with pytest.raises(OptionError, match="compartment='skull'"):
        eeg_gain(shells, positions, positions, positions, compartment="skull")


@pytest.mark.slow
def test_fields_are_openmeegs_own(sources, head):
    """At the electrodes themselves, not at the vertices around them."""
    pytest.importorskip("openmeeg")
    sites = [0, 9, 20, 60, 100, 154]
    theirs = eeg_gain(
        load_shells(),
        head.sensors[:8],
        np.repeat(sources.sites.positions[sites], 3, axis=0),
        np.tile(np.eye(3), (len(sites), 1)),
        compartment="scalp",
    )
    ours = sources.at(head.sensors[:8])[:, sites].reshape(8, -1)
    largest = np.abs(sources.at(head.sensors)[:, sites]).max(axis=0).ravel()
    assert (np.abs(ours - theirs) / largest).max() < 1e-3


def test_half_precision_holds_a_thousandth(sources):
    """The largest share of a dipole is one, so its rounding is below 2**-11."""
    shares = read_artifact("head/artifacts.npz", "artifacts")["shares"]
    assert shares.dtype == np.float16
    assert np.abs(shares).max(axis=0).min() == 1
    assert np.isfinite(sources.scalp.potentials).all()


# -------------------------------------------------------- places and topographies


def test_stored_sites_are_those_that_are_placed(sources):
    placed = place_artifacts(load_shells())
    np.testing.assert_array_equal(placed.kind, sources.sites.kind)
    np.testing.assert_array_equal(placed.variant, sources.sites.variant)
    np.testing.assert_allclose(placed.positions, sources.sites.positions, atol=1e-9)
    np.testing.assert_allclose(placed.outward, sources.sites.outward, atol=1e-9)


def test_eyes_are_pairs_beside_the_nasion(sources):
    sites, nasion = sources.sites, fiducials()[1]
    for variant in range(7):
        pair = sites.positions[(sites.kind == "eye") & (sites.variant == variant)]
        left, right = pair - nasion * (0, 1, 1)
        assert left[0] == pytest.approx(-right[0], abs=2e-3)
        np.testing.assert_allclose(right, (0.032, -0.022, 0), atol=6e-3)


def test_muscles_lie_on_both_sides_and_where_they_belong(sources):
    sites = sources.sites
    center = load_shells().center
    for kind, ahead in {"frontal": 1, "masseter": 1, "neck": -1}.items():
        places = sites.positions[sites.kind == kind] - center
        assert (np.sign(places[:, 1]).mean() * ahead) > 0.8
        assert abs(np.sign(places[:, 0].round(3)).sum()) <= 1
    temples = sites.positions[sites.kind == "temporal"] - center
    assert np.abs(temples[:, 0]).min() > 0.06
    jaws = sites.positions[sites.kind == "masseter"] - center
    assert jaws[:, 2].max() < 0 < sites.positions[sites.kind == "frontal"][:, 2].max()


@pytest.mark.parametrize("variant", range(7))
def test_a_blink_is_largest_at_the_frontal_pole_and_alike_on_both_sides(
    sources, head, variant
):
    blink = of_eyes(sources, head, (0, 0.35, 1), variant)
    largest = sorted(blink, key=lambda name: -abs(blink[name]))[:2]
    assert set(largest) == {"Fp1", "Fp2"}
    assert blink["Fp1"] > 0
    for left, right in (("Fp1", "Fp2"), ("AF7", "AF8"), ("F3", "F4"), ("O1", "O2")):
        assert blink[left] == pytest.approx(blink[right], abs=0.05)


def test_a_saccade_is_opposite_on_both_sides(sources, head):
    turn = of_eyes(sources, head, (1, 0, 0))
    for left, right in (("AF7", "AF8"), ("F7", "F8"), ("F9", "F10")):
        assert turn[left] == pytest.approx(-turn[right], abs=0.05)
        assert turn[right] > 0.4  # the cornea, which is positive, comes nearer
    assert abs(turn["Fz"]) < 0.05
