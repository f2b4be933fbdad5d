"""The paper's way from spikes to a set of regions, the same for every patient.

Spikes are filtered to 0.5 to 40 Hz and averaged, the average is scaled and imaged, the
image is averaged over 100 ms at the peak, and Otsu's threshold makes it a set of
regions (Sun et al. 2022, Methods, "Patient Analysis").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..imaging.by_method import image
from ..recordings.windows import inside

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from ..imaging.imager import Imager
    from ..imaging.source_image import SourceImage
    from .patient import Patient

BAND = (0.5, 40.0)
"""Hz that the paper keeps of a spike."""

WINDOW = 0.1
"""Seconds around the spike's peak over which a source image is averaged."""

SPAN = (-0.5, 0.498)
"""Seconds around the peak that are imaged, those the networks were trained on."""

# Of second order and run in both directions: a filter of finite length would need
# several seconds around the spike, which cut recordings do not have.
_FILTER = {"order": 2, "ftype": "butter"}


def average_spikes(
    spikes: mne.BaseEpochs,
    which: Sequence[int] | None = None,
    *,
    band: tuple[float | None, float | None] = BAND,
) -> mne.Evoked:
    """Filter single spikes and average them.

    Parameters
    ----------
    spikes : mne.Epochs
        EEG, V, peaks at time 0.
    which : sequence of int | None
        Which of them; by default all.
    band : tuple of (float | None)
        Hz; None leaves an end open.

    Returns
    -------
    mne.Evoked
    """
    chosen = spikes if which is None else spikes[list(which)]
    return filtered(chosen.average(), band)


def filtered(
    evoked: mne.Evoked, band: tuple[float | None, float | None] = BAND
) -> mne.Evoked:
    """Return an averaged spike in a band (Hz); averaging and filtering commute."""
    return evoked.copy().filter(
        *band, method="iir", iir_params=dict(_FILTER), verbose="error"
    )


def image_spike(
    spike: Patient | mne.Evoked,
    method: str = "deepsif",
    *,
    model: Imager | None = None,
    head: HeadModel | None = None,
    quiet: tuple[float | None, float | None] | None = None,
    **options,
) -> SourceImage:
    """Image an averaged spike.

    Parameters
    ----------
    spike : Patient | mne.Evoked
        A patient's averaged spike, or any; peak at time 0.
    method : str
        A name of :data:`deepsif_lite.solvers.METHODS`.
    model : Imager | None
        The network of ``"deepsif"``.
    head : HeadModel | None
        Of the solvers; by default the template under the recording's electrodes.
    quiet : tuple of (float | None, float | None) | None
        Times from which solvers take the noise; of a patient, its own.
    **options
        Passed to :func:`deepsif_lite.image`.

    Returns
    -------
    SourceImage
        From half a second before the spike to half a second after it, or as much as was
        recorded.
    """
    evoked: mne.Evoked = getattr(spike, "evoked", spike)
    quiet = getattr(spike, "quiet", quiet)
    low, high = max(SPAN[0], evoked.times[0]), min(SPAN[1], evoked.times[-1])
    window = {"tmin": low, "tmax": high}
    if method == "deepsif":
        return image(evoked, model=model, **window, **options)
    return image(evoked, method, head, baseline=quiet, **window, **options)


def spike_map(image_of_spike: SourceImage) -> NDArray:
    """Return the magnitude of the mean over 100 ms at the peak, one value a region."""
    return image_of_spike.map(*_at_peak(image_of_spike), how="mean")


def spike_extent(image_of_spike: SourceImage) -> NDArray:
    """Return the regions of :func:`spike_map` above Otsu's threshold."""
    return image_of_spike.extent(*_at_peak(image_of_spike), of="mean")


def _at_peak(image_of_spike: SourceImage) -> tuple[float, float]:
    """Return the 100 ms at the peak, or what was recorded of them."""
    window = (-WINDOW / 2, WINDOW / 2)
    times = image_of_spike.times
    recorded = times[inside(times, *window)]
    return (recorded[0], recorded[-1]) if len(recorded) else window
