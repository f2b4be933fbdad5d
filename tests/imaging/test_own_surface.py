"""Images on a subject's own surface: against MNE's morphing, and by known places."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from nibabel.freesurfer import write_geometry
from scipy.spatial import ConvexHull

from deepsif_lite.cortex import load_cortex
from deepsif_lite.cortex.fsaverage import load_registration
from deepsif_lite.errors import FileError
from deepsif_lite.imaging import SourceImage, morph_to_subject

RADIUS = 100.0  # mm, of FreeSurfer's spheres
N_OWN = 15_000  # vertices a hemisphere of a subject


@pytest.fixture(scope="module")
def image():
    """Of the places of regions (mm), one axis a sample."""
    cortex = load_cortex()
    times = np.array([-0.1, 0.0, 0.1])
    return SourceImage(1e3 * cortex.centroids, times, cortex, "sloreta")


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    """Folder of fsaverage (its first vertices alone) and of a subject."""
    folder = tmp_path_factory.mktemp("subjects")
    rng = np.random.default_rng(1)
    for side, known in zip(("lh", "rh"), load_registration(), strict=True):
        own = rng.standard_normal((N_OWN, 3))
        own /= np.linalg.norm(own, axis=1)[:, None]
        for name, points in (("fsaverage", known), ("me", own)):
            path = folder / name / "surf"
            path.mkdir(parents=True, exist_ok=True)
            faces = ConvexHull(points).simplices
            write_geometry(path / f"{side}.sphere.reg", RADIUS * points, faces)
    return folder


def test_fsaverage_lies_on_itself(image, subjects):
    found, known = morph_to_subject(image, "fsaverage", subjects), image.to_stc()
    np.testing.assert_array_equal(found.data, known.data)
    for chosen, all_ in zip(found.vertices, known.vertices, strict=True):
        np.testing.assert_array_equal(chosen, all_)
    assert found.subject == "fsaverage"
    np.testing.assert_allclose(found.times, image.times)


def test_values_are_those_of_morphing_by_mne(image, subjects):
    found = morph_to_subject(image, "me", subjects)
    assert found.subject == "me"
    theirs = mne.compute_source_morph(
        image.to_stc(),
        "fsaverage",
        "me",
        subjects,
        spacing=found.vertices,
        smooth="nearest",
        verbose="error",
    ).apply(image.to_stc())
    # MNE mixes the values of a triangle's corners: between regions it lies between.
    apart = np.linalg.norm(found.data - theirs.data, axis=1)
    assert np.median(apart) < 0.01
    assert np.percentile(apart, 99) < 20  # neighbors are about 12 mm apart


def test_the_folder_is_the_environments(image, subjects, monkeypatch):
    monkeypatch.setenv("SUBJECTS_DIR", str(subjects))
    assert morph_to_subject(image, "me").subject == "me"


def test_what_is_not_there_is_named(image, subjects, tmp_path, monkeypatch):
    monkeypatch.delenv("SUBJECTS_DIR", raising=False)
    monkeypatch.setattr(mne.utils.config, "get_config_path", lambda **_: tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="SUBJECTS_DIR"):
        morph_to_subject(image, "me")
    with pytest.raises(FileNotFoundError, match="recon-all"):
        morph_to_subject(image, "nobody", subjects)
    broken = tmp_path / "broken" / "surf"
    broken.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="no registration"):
        morph_to_subject(image, "broken", tmp_path)
    (broken / "lh.sphere.reg").write_bytes(b"no surface")
    with pytest.raises(FileError, match="copy it anew"):
        morph_to_subject(image, "broken", tmp_path)
