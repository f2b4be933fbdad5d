"""Trained networks with the head models that they were trained for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SignalError, check_shape
from ..network.cards import card_on, check_card, serves_any_cap
from ..recordings.instances import check_kind
from ..recordings.preparation import prepare
from ..recordings.windows import check_window
from ..signals import normalize
from ..solvers.whitening import whitening_matrix
from . import checks
from .fit import warn_about_fit
from .noise import NETWORK_NOISE, find_noise, given_noise, keep_known, noise_of_raw
from .recalibration import of_people
from .recorded import prepare_as_recorded
from .running import run_network
from .serving import serving
from .windows import (
    DURATION,
    OVERLAP,
    Windows,
    crop,
    epoch_windows,
    evoked_window,
    good_epochs,
    images_of,
    raw_windows,
    warn_about_epochs,
    with_warning,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from ..network.protocol import SourceNetwork
    from .explanation import Explanation
    from .noise import Baseline, Noise, NoiseCovariance
    from .recorded import Instance
    from .source_image import SourceImage


@dataclass(frozen=True, eq=False)
class Imager:
    """A trained network with the head model it was trained for.

    Attributes
    ----------
    network : torch.nn.Module
        Maps normalized EEG (batch, n_times, n_channels) to activity
        (batch, n_times, n_regions).
    card : dict
        What the network was trained for and what it reached.
    head : HeadModel
        Channels and cortex.
    device : str
        Where the network runs.
    own_cap : bool
        Image recordings on the electrodes that they have, whatever ``head`` has.
    """

    network: SourceNetwork
    card: dict
    head: HeadModel
    device: str = "cpu"
    own_cap: bool = False

    def predict(self, eeg: NDArray) -> NDArray:
        """Image windows of EEG.

        Parameters
        ----------
        eeg : array of shape (..., n_times, n_channels)
            EEG of any unit in the channel order of the card, at its sampling rate.
            Each window is normalized as in training.

        Returns
        -------
        array of shape (..., n_times, n_regions)
            Activity, no unit; about 1 at its largest.

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        """
        return self.predict_with_probability(eeg)[0]

    def predict_with_probability(self, eeg: NDArray) -> tuple[NDArray, NDArray | None]:
        """Image windows of EEG, and say how likely each region was active.

        Parameters
        ----------
        eeg : array of shape (..., n_times, n_channels)
            As for :meth:`predict`.

        Returns
        -------
        activity : array of shape (..., n_times, n_regions)
            As of :meth:`predict`.
        probability : array of shape (..., n_regions) | None
            That a region was active at any time of the window, where heads are
            computed as those of training were; the paper's network gives none. Images
            of recordings have probabilities that are true of people, see
            :class:`BetaCalibration`.

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        ArtifactError
            The network gives values that are not finite: its weights are damaged.
        """
        import torch

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg)
        windows = torch.from_numpy(eeg.reshape(-1, *eeg.shape[-2:]))
        windows = normalize(windows, self.head.modality)
        activity, probability = run_network(self.network, windows, self.device)
        activity = activity.reshape(*eeg.shape[:-1], -1)
        checks.check_output("deepsif", activity, probability)
        if probability is not None:
            probability = probability.reshape(*eeg.shape[:-2], -1)
        return activity, probability

    def explain(self, eeg: NDArray) -> Explanation:
        """Show what a ``lite`` network looks at: scalp maps and their best patches.

        Where methods disagree it tells why: a map no patch explains, or of too early.

        Parameters
        ----------
        eeg : array of shape (n_times, n_channels)
            One window, as for :meth:`predict`.

        Returns
        -------
        Explanation

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        MismatchError
            The network does not work with scalp maps.
        """
        import torch

        from .explanation import explain

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg, any_number=False)
        window = normalize(torch.from_numpy(eeg), self.head.modality)
        return explain(self.network, window.to(self.device))

    def _check(self, eeg: NDArray, *, any_number: bool = True) -> None:
        one = ("n_times", len(self.head.ch_names))
        check_shape("eeg", eeg.shape, ("...", *one) if any_number else one)
        if not np.isfinite(eeg).all():
            msg = "eeg holds NaN or infinite values; interpolate or drop them first."
            raise SignalError(msg)

    def apply(
        self,
        evoked: mne.Evoked,
        *,
        tmin: float | None = None,
        tmax: float | None = None,
        baseline: Baseline | None = None,
        match: str = "name",
        noise: str | None = None,
        noise_cov: NoiseCovariance | None = None,
    ) -> SourceImage:
        """Image an evoked response.

        Parameters
        ----------
        evoked : mne.Evoked
            EEG, V. It is brought to the network's channels, reference and rate, see
            :func:`deepsif_lite.recordings.prepare`.
        tmin, tmax : float | None
            Window to image, s. By default all of it.
        baseline, match, noise, noise_cov
            As of :func:`deepsif_lite.image`.

        Returns
        -------
        SourceImage

        Raises
        ------
        SignalError, ChannelError
            The recording is no evoked response, or cannot be brought to the network's
            channels.
        WindowError
            The window or the baseline lies outside the recording.
        MismatchError
            The network knows one montage, and noise was given.

        Warns
        -----
        UserWarning
            The window is much longer or shorter than those of the training, no region
            is more likely active than not, or channels do not follow from each other
            as sources in the head make them.
        """
        check_kind(evoked, "Evoked")
        checks.check_whitening(self.card, baseline, noise_cov)
        window = check_window(evoked.times, tmin, tmax)
        ready, head = self._bring(evoked, match)
        known = find_noise(ready, baseline, noise or NETWORK_NOISE, noise_cov)
        crop(ready, window)
        checks.check_length(len(ready.times))
        checks.check_usual_length(len(ready.times), self.card)
        eeg = ready.data - ready.data.mean(axis=1, keepdims=True)
        warn_about_fit(eeg.T, head, 2)
        result = next(self._images([evoked_window(ready, head)], known))
        checks.warn_about_doubt(result.probability)
        return result

    def apply_epochs(
        self,
        epochs: mne.BaseEpochs,
        *,
        tmin: float | None = None,
        tmax: float | None = None,
        baseline: Baseline | None = None,
        match: str = "name",
        noise: str | None = None,
        noise_cov: NoiseCovariance | None = None,
    ) -> Iterator[SourceImage]:
        """Image epochs, each alone.

        Parameters
        ----------
        epochs : mne.Epochs
            EEG, V. Channels are judged for all epochs alike.
        tmin, tmax
            As for :meth:`apply`.
        baseline
            As of :func:`deepsif_lite.image_epochs`: one noise covariance for all.
        match, noise, noise_cov
            As for :meth:`apply`.

        Yields
        ------
        SourceImage
            One an epoch, in their order, without those that were dropped. They are
            made as they are asked for (one takes about 2 MB); ``list`` keeps all.

        Raises
        ------
        SignalError, ChannelError, WindowError, MismatchError
            As of :meth:`apply`, at once.

        Warns
        -----
        UserWarning
            The window is much longer or shorter than those of the training; of how many
            epochs the channels do not follow from each other, at once.
        """
        check_kind(epochs, "Epochs")
        checks.check_whitening(self.card, baseline, noise_cov)
        window = check_window(epochs.times, tmin, tmax)
        ready, head = self._bring(good_epochs(epochs), match)
        known = find_noise(ready, baseline, noise or NETWORK_NOISE, noise_cov)
        crop(ready, window)
        checks.check_length(len(ready.times))
        checks.check_usual_length(len(ready.times), self.card)
        warn_about_epochs(ready, head)
        return self._images(epoch_windows(ready, head), known)

    def apply_raw(
        self,
        raw: mne.io.BaseRaw,
        window: float = DURATION,
        overlap: float = OVERLAP,
        *,
        tmin: float | None = None,
        tmax: float | None = None,
        baseline: Baseline | None = None,
        match: str = "name",
        noise: str | None = None,
        noise_cov: NoiseCovariance | None = None,
    ) -> Iterator[SourceImage]:
        """Image a raw recording window by window.

        Parameters
        ----------
        raw : mne.io.Raw
            EEG, V. What is not in memory is read as it is needed.
        window, overlap : float
            Length of a window, and how much of it belongs to the one before, s.
        tmin, tmax : float | None
            Part of the recording, s. By default all of it.
        baseline, match, noise, noise_cov
            As of :func:`deepsif_lite.image_raw`.

        Yields
        ------
        SourceImage
            One a window, with times of the recording. Windows with a piece annotated
            as bad (``BAD...``, ``EDGE...``) are left out, and so is what remains at
            the end. Few are in memory at a time; channels are judged
            for about five seconds alike.

        Raises
        ------
        SignalError, WindowError, OptionError, MismatchError
            What is wrong with the arguments, at once. What is wrong with a piece
            of the recording is raised when it is read.

        Warns
        -----
        UserWarning
            As of :meth:`apply_epochs`, of windows; the channels after the last image.
        """
        check_kind(raw, "Raw")
        checks.check_whitening(self.card, baseline, noise_cov)

        def bring(piece: mne.io.BaseRaw) -> tuple[mne.io.BaseRaw, HeadModel]:
            return keep_known(*self._bring(piece, match), known)

        known = given_noise(noise_cov)
        batches = raw_windows(raw, bring, window, overlap, tmin=tmin, tmax=tmax)
        checks.check_usual_length(round(window * self.card["sfreq"]), self.card)
        if baseline is not None:
            known = noise_of_raw(raw, baseline, noise or NETWORK_NOISE, bring)
        return self._images(with_warning(batches), known)

    def _bring(self, inst: Instance, match: str) -> tuple[Instance, HeadModel]:
        """Prepare a recording on its electrodes, or on those the network must have."""
        rate = self.card["sfreq"]
        if not serves_any_cap(self.card):
            return prepare(inst, self.head.info, rate, match=match), self.head
        head = None if self.own_cap else self.head
        return prepare_as_recorded(inst, head, rate, match=match)

    def _images(
        self, batches: Iterable[Windows], noise: Noise | None
    ) -> Iterator[SourceImage]:
        return images_of(batches, self._solve, "deepsif", noise)

    def _solve(
        self, eeg: NDArray, head: HeadModel, noise_cov: NDArray | None
    ) -> tuple[NDArray, NDArray | None]:
        if noise_cov is not None:
            matrix = whitening_matrix(noise_cov, head)
            head = replace(head, leadfield=matrix @ head.leadfield, vertex_gain=None)
            eeg = eeg @ matrix
        activity, probability = self.on(head).predict_with_probability(eeg)
        return activity, of_people(probability, self.card)

    def on(self, head: HeadModel) -> Imager:
        """Return this network for other electrodes.

        Parameters
        ----------
        head : HeadModel
            One that the network serves.

        Returns
        -------
        Imager
            It shares the weights.

        Raises
        ------
        MismatchError
            The network does not serve it.
        """
        if head is self.head:
            return self
        check_card(self.card, head)
        return replace(
            self,
            network=serving(self.network, head),
            card=card_on(self.card, head) if serves_any_cap(self.card) else self.card,
            head=head,
            own_cap=False,
        )
