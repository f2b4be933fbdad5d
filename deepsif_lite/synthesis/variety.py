"""How much the samples of a training differ, beyond what the paper's do."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import check_interval, check_range
from ..head.cap_sampler import TEMPLATE_SHARE


@dataclass(frozen=True)
class Variety:
    """What else differs from sample to sample; the default is the shipped recipe.

    Attributes
    ----------
    sized_share : float
        Share of the sources whose area is drawn evenly in its logarithm, from one
        parcel to 60 cm^2; the others are grown as the paper's.
    together_share : float
        Share of the samples of several sources in which these have related time
        courses, of which most are alike.
    waveform_share : float
        Share of the sources whose time course is no spike, see
        :func:`draw_waveform`.
    artifact_share : float
        Share of the samples that hold what is not cortex, see
        :class:`ArtifactGenerator`.
    artifact_db : tuple of float
        Range of their power against the rest of the sample.
    template_share : float
        Share of the people whose head is the template's, not another.
    displacement : tuple of float
        Range of the root mean square distance of electrodes from their places, m.
    head_error : tuple of float
        Range of how far heads are from all that were computed, see
        ``head.imprecision``; 1 is about as far as a person's own.
    mapped_share : float
        Share of the people whose EEG was recorded by another cap and mapped to that of
        the block by splines.
    short_share : float
        Share of the blocks of samples whose windows are shorter than the clips.
    shortest : int
        Samples in the shortest window.
    rhythm_share : float
        Share of the samples with rhythms of the cortex that are background, not a
        source: weaker than the rest.
    rhythm_db : tuple of float
        Range of their power against the rest of the sample.
    source_snr : tuple of float
        Range of each source against its background (dB).
    bridged_share : float
        Share of the samples in which gel joins some neighboring electrodes,
        which then all show the mean of their potentials.
    resting_share : float
        Share of the samples whose noise is resting EEG instead of white noise: of the
        noise of all samples, so much power. It is brought under each cap by way of
        the cortex, so it keeps its topography.

    Raises
    ------
    OptionError
        A share is not between 0 and 1, or a range runs down.
    """

    sized_share: float = 0.5
    together_share: float = 0.4
    waveform_share: float = 0.3
    artifact_share: float = 0.7
    artifact_db: tuple[float, float] = (-20.0, 10.0)
    template_share: float = TEMPLATE_SHARE
    displacement: tuple[float, float] = (0.0, 0.01)
    head_error: tuple[float, float] = (0.0, 0.0)
    mapped_share: float = 0.1
    short_share: float = 0.4
    shortest: int = 100
    rhythm_share: float = 0.3
    rhythm_db: tuple[float, float] = (-20.0, -3.0)
    source_snr: tuple[float, float] = (5.0, 20.0)
    bridged_share: float = 0.0
    resting_share: float = 0.0

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self)):
            if name.endswith("_share"):
                check_range(name, getattr(self, name), 0, 1)
        for name in ("artifact_db", "rhythm_db", "source_snr"):
            check_interval(name, getattr(self, name))
        check_interval("displacement", self.displacement, 0)
        check_interval("head_error", self.head_error, 0)
        check_range("shortest", self.shortest, 2)
