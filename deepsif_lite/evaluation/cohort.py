"""Epilepsy patients: real where a recording is at hand, virtual otherwise.

Both are of one type. A virtual patient has a spike simulated by the neural mass
model, heard through electrodes that do not sit where the head model has them, and a
resection that holds the source; everything about it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from ..metrics.resection import score_resection
from ..metrics.scores import localization_error
from ..recordings.responses import load_recording

if TYPE_CHECKING:
    import mne

    from ..imaging.source_image import SourceImage

WINDOW = 0.1
"""Seconds around the spike's peak over which a source image is averaged."""


@dataclass(frozen=True, eq=False)
class Patient:
    """A patient with an averaged interictal spike.

    Attributes
    ----------
    name : str
    evoked : mne.Evoked
        Averaged spike, V, its peak at time 0.
    virtual : bool
        True where the recording is simulated.
    outcome : str
        What is known about the surgery.
    resection : array of int or None
        Resected regions.
    onset_zone : array of int or None
        Regions under the contacts of the seizure onset zone.
    source : array of int or None
        Regions that make the spike; known for virtual patients only.
    """

    name: str
    evoked: mne.Evoked
    virtual: bool
    outcome: str
    resection: NDArray | None = None
    onset_zone: NDArray | None = None
    source: NDArray | None = None


def published_patient() -> Patient:
    """Return the patient published with FAST-IRES.

    Returns
    -------
    Patient
        Without resection and onset zone, which are not published as regions.

    Raises
    ------
    RecordingUnavailable
        The recording is not on this machine and cannot be downloaded.

    References
    ----------
    Sohrabpour et al. (2020), Nature Communications 11, 1946.
    """
    return Patient(
        name="FAST-IRES patient",
        evoked=load_recording("patient-spike"),
        virtual=False,
        outcome="seizure-free after left anterior temporal lobectomy",
    )


def score_patient(patient: Patient, image: SourceImage) -> dict[str, float]:
    """Compare a source image with what is known about a patient.

    The image is averaged over :data:`WINDOW` around time 0 (magnitude of the mean, as
    in the paper) and thresholded by Otsu.

    Parameters
    ----------
    patient : Patient
        With a resection.
    image : SourceImage
        On the cortex that the resection is given on.

    Returns
    -------
    dict of str to float
        As :func:`deepsif_lite.metrics.score_resection`, and, where the onset zone
        is known, ``onset_zone_error`` (m, mean distance of its regions to the
        estimate) and ``onset_zone_average_error`` (m, mean of both directions).

    Raises
    ------
    ValueError
        The patient's resection is not known.

    References
    ----------
    Sun et al. (2022), Methods, Figs. 4 and 6.
    """
    if patient.resection is None:
        msg = f"The resection of {patient.name!r} is not known: nothing to score."
        raise ValueError(msg)
    window = (-WINDOW / 2, WINDOW / 2)
    found = image.extent(*window, of="mean")
    strength = image.map(*window, how="mean")
    scores = score_resection(strength, found, patient.resection, image.cortex)
    if patient.onset_zone is not None and len(found):
        distances = image.cortex.distances
        pair = (patient.onset_zone, found)
        scores["onset_zone_error"] = localization_error(*pair, distances)
        scores["onset_zone_average_error"] = localization_error(
            *pair, distances, symmetric=True
        )
    return scores
