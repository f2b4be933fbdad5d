from __future__ import annotations

import mne
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from deepsif_lite.errors import ChannelError
from deepsif_lite.head import load_head_model
from deepsif_lite.recordings.positions import electrode_positions, place, sphere

MARKS = ("lpa", "nasion", "rpa")


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75").info


def cap(points, fiducials=None, names=None):
    """The info of electrodes at these points; fiducials: left, nasion, right."""
    names = names or [f"E{i}" for i in range(len(points))]
    marks = {} if fiducials is None else dict(zip(MARKS, fiducials, strict=True))
    frame = "head" if fiducials is None else "unknown"
    montage = mne.channels.make_dig_montage(
        dict(zip(names, points, strict=True)), coord_frame=frame, **marks
    )
    return mne.create_info(names, 500.0, "eeg").set_montage(montage)


def marks_of(info):
    known = info.get_montage().get_positions()
    return np.array([known[name] for name in MARKS])


def moved(points, scale=0.9):
    turn = Rotation.from_euler("xyz", [20, -10, 30], degrees=True)
    return scale * turn.apply(points) + [0.01, 0.03, -0.02]


def test_the_cap_itself_stays(head):
    placed = place(head, head)
    assert placed.aligned_by == "fiducials"
    np.testing.assert_allclose(placed.positions, electrode_positions(head), atol=1e-6)
    assert placed.distance < 0.003


def test_fiducials_bring_back_a_turned_cap(head):
    points, marks = electrode_positions(head), marks_of(head)
    placed = place(cap(moved(points), moved(marks)), head)
    assert placed.aligned_by == "fiducials"
    np.testing.assert_allclose(placed.positions, points, atol=1e-6)


def test_shared_names_bring_back_a_turned_cap(head):
    points, names = electrode_positions(head), head.ch_names
    recorded = cap(moved(points), names=names)
    placed = place(recorded, head, {name: name for name in names[:20]})
    assert placed.aligned_by == "shared names"
    np.testing.assert_allclose(placed.positions, points, atol=1e-6)


def test_a_sphere_about_the_origin_is_laid_on_the_head(head):
    # MNE adds fiducials on the sphere's equator, which are no one's ears.
    points = electrode_positions(head)
    center = sphere(points)[1]
    out = (points - center) / np.linalg.norm(points - center, axis=1, keepdims=True)
    recorded = cap(0.085 * out)
    assert recorded.get_montage().get_positions()["nasion"] is not None
    placed = place(recorded, head)
    assert placed.aligned_by == "the spheres that fit them"
    back = placed.positions - center
    np.testing.assert_allclose(
        back / np.linalg.norm(back, axis=1, keepdims=True), out, atol=1e-6
    )


@pytest.mark.parametrize("montage", ["biosemi64", "easycap-M1", "GSN-HydroCel-128"])
def test_montages_of_mne_find_their_ears(head, montage):
    made = mne.channels.make_standard_montage(montage)
    info = mne.create_info(made.ch_names, 500.0, "eeg").set_montage(made)
    placed = place(info, head)
    assert placed.aligned_by == "fiducials"
    here = electrode_positions(head)
    both = [name for name in head.ch_names if name in info.ch_names]
    there = placed.positions[[info.ch_names.index(name) for name in both]]
    here = here[[head.ch_names.index(name) for name in both]]
    if both:
        assert np.linalg.norm(there - here, axis=1).mean() < 0.02


def test_electrodes_off_the_scalp_are_refused(head):
    rng = np.random.default_rng(0)
    with pytest.raises(ChannelError, match=r"do not lie on the scalp.*mm"):
        place(cap(0.1 * rng.standard_normal((40, 3))), head)


def test_a_flat_layout_is_refused(head):
    flat = electrode_positions(head) * [1, 1, 0]
    with pytest.raises(ChannelError, match="plane"):
        place(cap(flat), head)


def test_two_points_make_no_sphere():
    with pytest.raises(ChannelError, match="no sphere"):
        sphere(0.1 * np.eye(3)[:2])


@pytest.mark.parametrize("axis", [0, 1])
def test_mirrored_axes_contradict_the_names(head, axis):
    points, names = electrode_positions(head), head.ch_names
    points[:, axis] *= -1
    shared = {name: name for name in names}
    with pytest.raises(ChannelError, match="contradict their names"):
        place(cap(points, names=names), head, shared)
    place(cap(points), head)  # without names nothing can tell


def test_wrong_fiducials_give_way_to_names(head):
    points, names = electrode_positions(head), head.ch_names
    half_turn = marks_of(head) * [-1, -1, 1]
    recorded = cap(points, half_turn, names)
    placed = place(recorded, head, {name: name for name in names})
    assert placed.aligned_by == "shared names"
    np.testing.assert_allclose(placed.positions, points, atol=1e-6)


def test_electrodes_far_from_their_names_are_told(head):
    points, names = electrode_positions(head), list(head.ch_names)
    points[[0, 18]] = points[[18, 0]]
    placed = place(cap(points, marks_of(head), names), head, {n: n for n in names})
    assert set(placed.astray) == {names[0], names[18]}
    assert min(placed.astray.values()) > 90


@pytest.mark.parametrize("factor", [1.5, 2, 3, 4, 5])
def test_one_electrode_does_not_draw_the_others_away(head, factor):
    points, names = electrode_positions(head), [f"E{i}" for i in range(75)]
    points[5] *= factor
    placed = place(cap(points, marks_of(head)), head)
    off = np.linalg.norm(placed.positions - electrode_positions(head), axis=1)
    assert np.median(off) < 1e-6
    if factor > 2:
        with pytest.raises(ChannelError, match="'E5' is the farthest"):
            place(cap(points, names=names), head)


@pytest.mark.parametrize("factor", [7, 30])
def test_an_electrode_that_no_head_has_is_refused(head, factor):
    points = electrode_positions(head)
    points[5] *= factor
    with pytest.raises(ChannelError, match="'E5' lies .* times as far out"):
        place(cap(points), head)


@pytest.mark.parametrize("aside", [-0.02, 0.02])
def test_fiducials_beside_the_head_give_way(head, aside):
    points, marks = electrode_positions(head), marks_of(head)
    recorded = cap(points + [aside, 0, 0], marks)
    with pytest.warns(UserWarning, match="fiducials put the cap 20 mm to one side"):
        placed = place(recorded, head)
    assert placed.aligned_by == "the spheres that fit them"
    np.testing.assert_allclose(placed.positions, points, atol=1e-3)
    half = points[:, 0] > 0.01  # of a cap of one side, nobody knows the middle
    assert place(cap(points[half], marks), head).aligned_by == "fiducials"


def test_electrodes_at_one_place_are_told(head):
    points = electrode_positions(head)
    points[5] = points[6]
    with pytest.warns(UserWarning, match=r"\['E5', 'E6'\] share their places"):
        place(cap(points, marks_of(head)), head)


@pytest.mark.filterwarnings("ignore:Fiducial point nasion not found")
def test_the_frame_of_ctf_has_its_nose_along_x(head):
    points, names = electrode_positions(head), head.ch_names
    turned = np.c_[points[:, 1], -points[:, 0], points[:, 2]]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, turned, strict=True)), coord_frame="ctf_head"
    )
    info = mne.create_info(names, 500.0, "eeg").set_montage(montage)
    np.testing.assert_allclose(place(info, head).positions, points, atol=1e-3)
