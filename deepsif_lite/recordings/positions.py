"""Bring a cap's electrodes into the frame of a head model.

Positions come in many frames: MNE's head frame with fiducials, a sphere about the
origin (EEGLAB, BESA), a template of another size. Two caps are compared only after
one has been laid on the other.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError
from .instances import warn

if TYPE_CHECKING:
    import mne

logger = logging.getLogger(__name__)

MAX_DISTANCE = 0.015
"""Mean distance (m) between electrodes and scalp after alignment, beyond which the
two caps do not belong together. A head of another shape stays below."""

MAX_ANGLE = 25.0
"""Degrees between two places beyond which they are not the same (neighbors in the 10-10
system lie about 18 apart)."""

_LEAST_POINTS, _FLAT = 8, 0.05  # electrodes, height over width; a cap has about 0.5
_OUTLYING = 6.0  # of the median distance to the middle; caps stay below 1.7
_STRAY = 2.0  # likewise, of an electrode that is kept, and tells nothing of the others
_LEAST_SHARED = 4  # names; three points may lie on a line, or on one side
_NEAREST = 3  # electrodes of the head model that tell the scalp's radius
_ONE_PLACE = 5e-4  # m; electrodes are larger
# Of the middle of a cap that its fiducials lay on a head, m: heads are symmetric, and
# of the caps that come with MNE the farthest lies 5 mm to one side.
_SIDEWAYS = 0.01
_ON_A_SIDE = 0.25  # of the electrodes, on either side, for a cap to have a middle


class Placement(NamedTuple):
    """Recorded electrodes in the frame of a head model.

    Attributes
    ----------
    positions : array of shape (n_channels, 3)
        Meters, head frame of the head model.
    aligned_by : str
        ``"fiducials"``, ``"shared names"`` or ``"the spheres that fit them"``.
    distance : float
        Mean distance to the scalp of the head model, m.
    astray : dict of str to float
        Degrees from electrodes to where their names put them, beyond 25.
    """

    positions: NDArray
    aligned_by: str
    distance: float
    astray: dict[str, float]


def electrode_positions(info: mne.Info) -> NDArray:
    """Return positions (n_channels, 3) in m; NaN where a channel has none."""
    positions = np.array([ch["loc"][:3] for ch in info["chs"]], dtype=float)
    positions[(positions == 0).all(axis=1)] = np.nan
    return positions


def sphere(points: NDArray) -> tuple[float, NDArray]:
    """Fit a sphere to electrodes, as MNE does.

    Parameters
    ----------
    points : array of shape (n_channels, 3)
        Meters, head frame.

    Returns
    -------
    radius : float
        Meters.
    center : array of shape (3,)

    Raises
    ------
    ChannelError
        No sphere fits: the points lie in a plane, or are too few.
    """
    return _sphere(np.asarray(points, float).tobytes())


@lru_cache(maxsize=16)  # MNE takes milliseconds, and each recording asks several times
def _sphere(values: bytes) -> tuple[float, NDArray]:
    import mne

    points = np.frombuffer(values).reshape(-1, 3)
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if len(points) < _LEAST_POINTS or spread[-1] < _FLAT * spread[0]:
        msg = (
            f"The positions of {len(points)} electrodes lie in a plane, on no sphere; "
            "set those of the cap (inst.set_montage), or name the electrodes as the "
            "10-05 system does and use match='name'."
        )
        raise ChannelError(msg)
    names = [str(i) for i in range(len(points))]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, points, strict=True)), coord_frame="head"
    )
    info = mne.create_info(names, 1.0, "eeg").set_montage(montage)
    radius, center, _ = mne.bem.fit_sphere_to_headshape(info, ("eeg",), verbose="error")
    center.setflags(write=False)
    return radius, center


def angles(a: NDArray, b: NDArray, center: NDArray) -> NDArray:
    """Return the angles (degrees) between points seen from a center, (n_a, n_b)."""
    a, b = (_unit(points - center) for points in (a, b))
    return np.degrees(np.arccos(np.clip(a @ b.T, -1, 1)))


def place(
    recorded: mne.Info, head: mne.Info, shared: dict[str, str] | None = None
) -> Placement:
    """Lay a recorded cap on the cap of a head model.

    By fiducials where the recording has them, else by the names both share, else
    about the sphere that fits each cap (which keeps its axes). The first of these
    that puts the electrodes on the scalp, and names where they belong, is taken; the
    log says which. Fiducials that put the cap a centimeter to one side are not.

    Parameters
    ----------
    recorded : mne.Info
        EEG channels, each with a position.
    head : mne.Info
        Of a head model.
    shared : dict of str to str | None
        Names in the head model to names in the recording, from
        :func:`~deepsif_lite.recordings.names.match_names`.

    Returns
    -------
    Placement

    Raises
    ------
    ChannelError
        No alignment puts the electrodes on the scalp, and most of those with a known
        name near its place.

    Warns
    -----
    UserWarning
        Electrodes lie at one place, or fiducials put the cap to one side.
    """
    shared = shared or {}
    points, scalp = _nose_ahead(recorded), electrode_positions(head)
    _check_outliers(points, recorded.ch_names)
    _notice_one_place(points, recorded.ch_names)
    candidates = {
        "fiducials": _by_fiducials(points, recorded, head),
        "shared names": _by_names(points, recorded, head, shared),
        "the spheres that fit them": _by_spheres(points, scalp),
    }
    off, turned = {}, {}
    for how, moved in candidates.items():
        if moved is None:
            continue
        off[how] = _distances_to_scalp(moved, scalp)
        if off[how].mean() > MAX_DISTANCE:
            continue
        if how == "fiducials" and (aside := _sideways(moved, scalp)) > _SIDEWAYS:
            warn(
                f"The fiducials put the cap {1e3 * aside:.0f} mm to one side of the "
                "head, so they are not used; check how they were measured "
                "(inst.set_montage)."
            )
            continue
        astray = _degrees_from_names(moved, recorded, head, shared)
        if len(astray) < _LEAST_SHARED or np.median(list(astray.values())) <= MAX_ANGLE:
            distance = float(off[how].mean())
            logger.info(
                "Electrodes aligned by %s; mean distance to the scalp %.1f mm.",
                how,
                1e3 * distance,
            )
            far = {n: angle for n, angle in astray.items() if angle > MAX_ANGLE}
            return Placement(moved, how, distance, far)
        turned[how] = astray
    if turned:
        msg = _contradiction(turned)
    else:
        msg = _off_scalp(off, recorded.ch_names)
    raise ChannelError(msg)


def _check_outliers(points: NDArray, ch_names: list[str]) -> None:
    """Refuse an electrode that no head has: it would draw the others away."""
    away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    worst = int(away.argmax())
    if away[worst] > _OUTLYING * np.median(away) > 0:
        msg = (
            f"Electrode {ch_names[worst]!r} lies {away[worst] / np.median(away):.0f} "
            "times as far out as the others; correct its position (inst.set_montage), "
            "or mark it bad (inst.info['bads'])."
        )
        raise ChannelError(msg)


def _nose_ahead(info: mne.Info) -> NDArray:
    """Return positions, those in CTF's frame (nose along x) with the nose along y."""
    from mne.io.constants import FIFF

    points = electrode_positions(info)
    frames = {
        point["coord_frame"]
        for point in info["dig"] or ()
        if point["kind"] == FIFF.FIFFV_POINT_EEG
    }
    if frames == {FIFF.FIFFV_MNE_COORD_CTF_HEAD}:
        return points[:, [1, 0, 2]] * [-1, 1, 1]
    return points


def _notice_one_place(points: NDArray, ch_names: list[str]) -> None:
    """Warn of electrodes that cannot both be where they are said to be."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    same = (apart < _ONE_PLACE).sum(axis=1) > 1
    if same.any():
        names = [name for name, s in zip(ch_names, same, strict=True) if s]
        warn(
            f"Electrodes {names} share their places with others; correct their "
            "positions (inst.set_montage), or mark them bad (inst.info['bads'])."
        )


def _sideways(points: NDArray, scalp: NDArray) -> float:
    """Return how far the middle of a cap lies to a side of the head, m."""
    away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    points = points[away <= _STRAY * np.median(away)]  # which would draw the middle
    middle, wanted = sphere(points)[1][0], sphere(scalp)[1][0]
    on_right = np.mean(points[:, 0] > middle)
    both = _ON_A_SIDE <= on_right <= 1 - _ON_A_SIDE
    return abs(middle - wanted) if both else 0.0


def _contradiction(turned: dict[str, dict[str, float]]) -> str:
    found = ", ".join(
        f"{np.median(list(astray.values())):.0f} degrees by {how}"
        for how, astray in turned.items()
    )
    return (
        "The positions of electrodes contradict their names, which put them elsewhere "
        f"(median {found}): axes or fiducials are turned or mirrored. Correct the "
        "positions (inst.set_montage), or use match='name'."
    )


def _off_scalp(off: dict[str, NDArray], ch_names: list[str]) -> str:
    found = ", ".join(f"{1e3 * d.mean():.0f} mm by {how}" for how, d in off.items())
    farthest = ch_names[int(min(off.values(), key=np.mean).argmax())]
    return (
        f"The electrodes do not lie on the scalp of the head model (mean distance "
        f"{found}; at most {1e3 * MAX_DISTANCE:.0f} mm; {farthest!r} is the farthest). "
        "Check positions, units and fiducials (inst.set_montage), or use match='name'."
    )


def _degrees_from_names(
    moved: NDArray, recorded: mne.Info, head: mne.Info, shared: dict[str, str]
) -> dict[str, float]:
    """Return how far shared names' electrodes lie from each other, by recorded name."""
    scalp = electrode_positions(head)
    _, center = sphere(scalp)
    apart = angles(moved, scalp, center)
    return {
        own: float(apart[recorded.ch_names.index(own), head.ch_names.index(name)])
        for name, own in shared.items()
    }


def _by_fiducials(
    points: NDArray, recorded: mne.Info, head: mne.Info
) -> NDArray | None:
    there, here = _fiducials(recorded), _fiducials(head)
    return None if there is None or here is None else similarity(points, there, here)


def _fiducials(info: mne.Info) -> NDArray | None:
    montage = info.get_montage()
    if montage is None:
        return None
    known = montage.get_positions()
    marks = [known[name] for name in ("lpa", "nasion", "rpa")]
    return None if any(mark is None for mark in marks) else np.array(marks)


def _by_names(
    points: NDArray, recorded: mne.Info, head: mne.Info, shared: dict[str, str]
) -> NDArray | None:
    if len(shared) < _LEAST_SHARED:
        return None
    there = points[[recorded.ch_names.index(name) for name in shared.values()]]
    scalp = electrode_positions(head)
    return similarity(
        points, there, scalp[[head.ch_names.index(name) for name in shared]]
    )


def similarity(points: NDArray, there: NDArray, here: NDArray) -> NDArray:
    """Rotate, move and scale points so that matched ones meet, in least squares.

    Parameters
    ----------
    points : array of shape (n_points, 3)
        To move.
    there, here : array of shape (n_matched, 3)
        Matched points in the frame of ``points`` and in the other one. There and back
        again leaves points where they were.

    Returns
    -------
    array of shape (n_points, 3)
    """
    # mne.coreg.fit_matched_points does the same, after compiling for seconds.
    from scipy.spatial.transform import Rotation

    from_center, to_center = there.mean(axis=0), here.mean(axis=0)
    there, here = there - from_center, here - to_center
    rotation, _ = Rotation.align_vectors(here, there)
    scale = np.linalg.norm(here) / np.linalg.norm(there)
    return scale * rotation.apply(points - from_center) + to_center


def _by_spheres(points: NDArray, scalp: NDArray) -> NDArray:
    (there, from_center), (here, to_center) = sphere(points), sphere(scalp)
    return (points - from_center) * here / there + to_center


def _distances_to_scalp(points: NDArray, scalp: NDArray) -> NDArray:
    """Return the distances from electrodes to the scalp that others lie on, m."""
    _, center = sphere(scalp)
    nearest = np.argsort(angles(points, scalp, center), axis=1)[:, :_NEAREST]
    radius = np.linalg.norm(scalp - center, axis=1)[nearest].mean(axis=1)
    return np.abs(np.linalg.norm(points - center, axis=1) - radius)


def _unit(vectors: NDArray) -> NDArray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
