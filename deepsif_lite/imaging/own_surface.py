"""Source images on the cortex of the person who was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from ..cortex.fsaverage import load_registration
from ..errors import FileError

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from .source_image import SourceImage

_HEMISPHERES = ("lh", "rh")


def morph_to_subject(
    image: SourceImage, subject: str, subjects_dir: str | Path | None = None
) -> mne.SourceEstimate:
    """Bring a source image to a subject's own surface, as FreeSurfer has registered it.

    Each vertex takes the value of the nearest one of fsaverage5 on the sphere to which
    ``recon-all`` registers every brain. Values are those of regions, so nothing is
    smoothed between them. (:func:`mne.compute_source_morph` does this, too, where the
    folder of subjects holds ``fsaverage``.)

    Parameters
    ----------
    image : SourceImage
    subject : str
        Folder in ``subjects_dir``, with ``surf/lh.sphere.reg`` and
        ``surf/rh.sphere.reg``.
    subjects_dir : str | path | None
        Of FreeSurfer; by default the environment's ``SUBJECTS_DIR``.

    Returns
    -------
    mne.SourceEstimate
        On the vertices of the subject that lie nearest to fsaverage5's, at most 10,242
        a hemisphere.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no registration in it.
    FileError
        The registration cannot be read.

    Notes
    -----
    The image was made with the template's head and folding: the subject's surface shows
    where its regions lie there, and adds no accuracy.
    """
    import mne

    estimate = image.to_stc()
    values = (estimate.lh_data, estimate.rh_data)
    folder = _surfaces(subject, subjects_dir)
    data, vertices = [], []
    for side, own, known in zip(_HEMISPHERES, load_registration(), values, strict=True):
        sphere = _read_sphere(folder / f"{side}.sphere.reg")
        chosen = np.unique(cKDTree(sphere).query(own)[1])
        data.append(known[cKDTree(own).query(sphere[chosen])[1]])
        vertices.append(chosen)
    return mne.SourceEstimate(
        np.vstack(data),
        vertices,
        tmin=estimate.tmin,
        tstep=estimate.tstep,
        subject=subject,
        verbose=False,
    )


def _surfaces(subject: str, subjects_dir: str | Path | None) -> Path:
    """Return the folder of a subject's surfaces."""
    from mne.utils import get_subjects_dir

    root = get_subjects_dir(subjects_dir)
    if root is None:
        msg = (
            "There is no folder of subjects: give subjects_dir, or set the environment's "
            "SUBJECTS_DIR."
        )
        raise FileNotFoundError(msg)
    folder = Path(root) / subject / "surf"
    if not folder.is_dir():
        msg = f"There is no folder {str(folder)!r}; run FreeSurfer's recon-all."
        raise FileNotFoundError(msg)
    return folder


def _read_sphere(path: Path) -> NDArray:
    """Return the vertices of a registration, on a sphere of radius one."""
    from nibabel.freesurfer import read_geometry

    if not path.is_file():
        msg = f"There is no registration {str(path)!r}; run FreeSurfer's recon-all."
        raise FileNotFoundError(msg)
    try:
        points = read_geometry(path)[0]
    except Exception as error:  # whatever a damaged file makes of the reader
        msg = f"{path} is no surface of FreeSurfer ({error}); copy it anew."
        raise FileError(msg) from error
    return points / np.linalg.norm(points, axis=1, keepdims=True)
