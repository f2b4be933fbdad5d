"""Synthetic EEG under any cap, of any head, with what is not cortex: for training.

It is :class:`~deepsif_lite.synthesis.SyntheticEEG` with more that differs from sample
to sample, see :class:`~deepsif_lite.synthesis.Variety`. Samples come in blocks that
share a cap and a length of window, so that they make one batch; several people wear
the cap, with heads and displaced electrodes of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from ..cortex.patches import SIZED_PATCHES, sized_candidates
from ..errors import OptionError
from ..head.imprecision import draw_shift, misjudged
from ..signals import average_reference
from .artifacts import ArtifactGenerator, mix_artifacts, stack_artifacts
from .bridges import draw_bridges, join_electrodes
from .draws import Draw, KeptCandidates, check_resting, window_start
from .mixing import projected_backgrounds
from .resting import RestingEEG
from .samples import Batch
from .stream import SyntheticEEG
from .variety import Variety
from .waveforms import draw_rhythm, draw_waveform

if TYPE_CHECKING:
    from ..head.artifact_sources import ArtifactSources
    from ..head.cap_sampler import CapSampler, Wearer
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from ..spikes.library import SpikeLibrary

# Keys of what is drawn at random beside what the base class draws.
_BLOCK, _VARIETY = 1 << 35, 1 << 36
_KEPT_BLOCKS = 4
_MOST_RHYTHMS = 3  # in one sample
_N_WEARERS = 8  # of the cap of a block
_ALIKE = 0.6  # share of related time courses that are equal
_LEAST_RELATED = 0.5  # share of the first source's course in a related one, at least


class _Block(NamedTuple):
    """What the samples of a block share: a cap, and who wears it."""

    leadfield: NDArray  # that a network is told, (n_channels, n_regions)
    gains: torch.Tensor  # (n_wearers, n_regions, n_channels)
    artifacts: list[ArtifactGenerator]  # one a wearer
    mapped: list[bool]  # whether a wearer was recorded by another cap
    resting: list[NDArray]  # maps of each wearer, none without resting EEG
    n_times: int


@dataclass
class _VariedDraw(Draw):
    """The random choices behind one sample, with those of its variety."""

    block: int = 0
    wearer: int = 0
    courses: dict[int, NDArray] = field(default_factory=dict, repr=False)
    related: NDArray | None = field(default=None, repr=False)  # to the first source
    artifacts: tuple[NDArray, NDArray] | None = field(default=None, repr=False)
    artifact_db: float = 0.0
    rhythms: tuple[NDArray, NDArray] | None = field(default=None, repr=False)
    rhythm_db: float = 0.0
    bridges: list[NDArray] = field(default_factory=list, repr=False)
    is_resting: bool = False  # the noise


class VariedEEG(SyntheticEEG):
    """An endless stream of samples as varied as recordings are.

    Parameters
    ----------
    head : HeadModel | TrainingHead
        The cortex, and the montage that spikes are measured on before they are given
        to patches.
    clips : SpikeLibrary
    caps : CapSampler
        Draws caps and heads, see :func:`deepsif_lite.head.load_cap_sampler`.
    artifacts : ArtifactSources
        See :func:`deepsif_lite.head.load_artifact_sources`.
    variety : Variety | None
        Default: all of it at its usual shares.
    block_size : int
        Samples that share a cap.
    resting : array of shape (n_clips, n_times, n_channels) | None
        Recordings of resting EEG, any unit, in the head's order of channels, for
        ``variety.resting_share``; they are brought under every cap and head by
        way of the cortex.
    **options
        ``n_sources``, ``seed``, ``source_snr``, ``sensor_snr``, ``background_snr``,
        ``half_distance`` and ``device`` of :class:`SyntheticEEG`.

    Raises
    ------
    OptionError
        An argument is out of range.
    MismatchError
        Clips, head and resting EEG do not belong together.
    """

    def __init__(
        self,
        head: HeadModel | TrainingHead,
        clips: SpikeLibrary,
        caps: CapSampler,
        artifacts: ArtifactSources,
        *,
        variety: Variety | None = None,
        block_size: int = 64,
        resting: NDArray | None = None,
        **options,
    ) -> None:
        super().__init__(head, clips, **options)
        self.caps, self.artifacts = caps, artifacts
        self.variety, self.block_size = variety or Variety(), block_size
        self._resting = self._resting_eeg(resting)
        self._sized = KeptCandidates(
            head.cortex, sized_candidates, (self.seed, SIZED_PATCHES)
        )
        self._blocks: dict[int, _Block] = {}

    def _resting_eeg(self, clips: NDArray | None) -> RestingEEG | None:
        """Return what draws resting EEG, None where none is wanted."""
        if self.variety.resting_share == 0:
            return None
        shape = (self.clips.n_times, len(self.head.ch_names))
        check_resting(clips, self.variety.resting_share, shape)
        return RestingEEG(cast("NDArray", clips), self.head)  # it is checked

    def _block(self, number: int) -> _Block:
        """Return a block; the last few are kept."""
        if number not in self._blocks:
            for oldest in list(self._blocks)[: 1 - _KEPT_BLOCKS]:
                self._blocks.pop(oldest, None)
            self._blocks[number] = self._make_block(number)
        return self._blocks[number]

    def _make_block(self, number: int) -> _Block:
        rng = np.random.default_rng([self.seed, _BLOCK, number])
        electrodes = self.caps.draw(rng)
        wearers = [self._wearer(electrodes, rng) for _ in range(_N_WEARERS)]
        n_times = self.clips.n_times
        if rng.random() < self.variety.short_share:
            n_times = int(rng.integers(self.variety.shortest, n_times))
        gains = [_gain(w) for w in wearers]
        return _Block(
            leadfield=self.caps.leadfield(electrodes).astype(float),
            gains=self._tensor(np.stack(gains)),
            artifacts=[self._artifacts_of(w, electrodes) for w in wearers],
            mapped=[w.mapping is not None for w in wearers],
            resting=[self._resting.maps(g.T) for g in gains] if self._resting else [],
            n_times=n_times,
        )

    def _wearer(self, electrodes: NDArray, rng: np.random.Generator) -> Wearer:
        variety = self.variety
        distance = rng.uniform(*variety.displacement)
        is_mapped = rng.random() < variety.mapped_share
        wear = self.caps.mapped if is_mapped else self.caps.recorded
        if not variety.head_error[1]:
            return wear(electrodes, distance, rng, variety.template_share)
        error = rng.uniform(*variety.head_error)
        if not is_mapped:
            electrodes = electrodes + draw_shift(electrodes, error, rng)
        worn = wear(electrodes, distance, rng, variety.template_share)
        adjacency = self.head.cortex.adjacency
        changed = misjudged(worn.leadfield, worn.places, adjacency, error, rng)
        return worn._replace(leadfield=changed)

    def _artifacts_of(self, wearer: Wearer, electrodes: NDArray) -> ArtifactGenerator:
        """Return what draws artifacts as somebody's channels record them."""
        fields, places = self.artifacts.at(wearer.places), wearer.places
        if wearer.mapping is not None:
            fields = np.tensordot(wearer.mapping, fields, 1)
            places = electrodes
        return ArtifactGenerator(fields, self.artifacts.sites, places, self.clips.sfreq)

    def _draw(self, index: int) -> _VariedDraw:
        number = index // self.block_size
        block = self._block(number)
        base = super()._draw(index)
        draw = _VariedDraw(**vars(base), block=number)
        rng = np.random.default_rng([self.seed, _VARIETY, index])
        draw.wearer = int(rng.integers(_N_WEARERS))
        n_channels = len(block.leadfield)
        draw.noise = rng.standard_normal(
            (self.clips.n_times, n_channels), dtype=np.float32
        )
        self._vary_sources(draw, rng)
        if rng.random() < self.variety.artifact_share:
            generator = block.artifacts[draw.wearer]
            draw.artifacts = generator.draw(block.n_times, rng)
            draw.artifact_db = rng.uniform(*self.variety.artifact_db)
        self._place_window(draw, block.n_times, rng)
        if rng.random() < self.variety.rhythm_share:
            draw.rhythms = self._rhythms(block, draw.wearer, rng)
            draw.rhythm_db = rng.uniform(*self.variety.rhythm_db)
        self._vary_recording(draw, block, rng)
        return draw

    def _unit_noise(self, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray:
        """Draw none yet: the cap of the block says of how many channels it is."""
        return np.empty(0, np.float32)

    def has_artifacts(self, index: int) -> bool:
        """Whether sample ``index`` holds what is not cortex."""
        artifacts = self._draw(index).artifacts
        return artifacts is not None and len(artifacts[0]) > 0

    def _vary_sources(self, draw: _VariedDraw, rng: np.random.Generator) -> None:
        """Draw other sizes and time courses for some of the sources."""
        variety, count = self.variety, len(draw.patches)
        for k, patch in enumerate(draw.patches):
            if rng.random() < variety.sized_share:
                draw.patches[k] = self._sized.pick(int(patch[0]), rng)
            if rng.random() < variety.waveform_share:
                draw.courses[k] = draw_waveform(
                    self.clips.n_times, self.clips.sfreq, rng
                )
        if count > 1 and rng.random() < variety.together_share:
            share = 1.0 if rng.random() < _ALIKE else rng.uniform(_LEAST_RELATED, 1)
            draw.related = np.zeros(count)
            # All of them, or two of more.
            draw.related[1 : rng.integers(2, count + 1)] = share

    def _vary_recording(
        self, draw: _VariedDraw, block: _Block, rng: np.random.Generator
    ) -> None:
        """Draw bridges between electrodes, and resting EEG for noise, for some samples.

        What another cap recorded has no bridges, for they would be under that one.
        """
        bridged = rng.random() < self.variety.bridged_share
        if bridged and not block.mapped[draw.wearer]:
            electrodes = block.artifacts[draw.wearer].electrodes
            draw.bridges = draw_bridges(electrodes, rng)
        if self._resting and rng.random() < self.variety.resting_share:
            draw.noise = self._resting.draw(block.resting[draw.wearer], rng)
            draw.is_resting = True

    def _rhythms(
        self, block: _Block, wearer: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        """Draw rhythms of patches of cortex: their courses, and scalp maps."""
        n_regions, sfreq = self.head.cortex.n_regions, self.clips.sfreq
        seeds = rng.integers(n_regions, size=rng.integers(1, _MOST_RHYTHMS + 1))
        courses = [draw_rhythm(block.n_times, sfreq, rng) for _ in seeds]
        gain = block.gains[wearer].cpu().numpy()
        maps = [gain[self._sized.pick(int(seed), rng)].sum(axis=0) for seed in seeds]
        maps = [row / np.linalg.norm(row) for row in maps]
        return np.array(courses, np.float32), np.array(maps, np.float32)

    def _place_window(
        self, draw: _VariedDraw, n_times: int, rng: np.random.Generator
    ) -> None:
        """Draw where the window lies: around the peak of the first source."""
        peak = int(self.clips.peaks[draw.clips[0]])
        if 0 in draw.courses:
            peak = int(np.abs(draw.courses[0]).argmax())
        draw.start = window_start(peak, n_times, self.clips.n_times, rng)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Make the samples of the given indices, which are of one block.

        Raises
        ------
        OptionError
            They are of several blocks.
        """
        draws = [self._draw(int(i)) for i in indices]
        numbers = {draw.block for draw in draws}
        if len(numbers) > 1:
            msg = (
                f"indices={indices} are of {len(numbers)} blocks of "
                f"{self.block_size} samples, whose caps differ; take them one by one."
            )
            raise OptionError(msg)
        return self._assemble(draws)

    def _leadfield(self, draws: Sequence[_VariedDraw]) -> NDArray:
        return self._block(draws[0].block).leadfield

    def _gains(self, draws: Sequence[_VariedDraw]) -> tuple[torch.Tensor, torch.Tensor]:
        block = self._block(draws[0].block)
        return block.gains, self._tensor([draw.wearer for draw in draws])

    def _backgrounds(self, clip, regions, members, present, gain, head) -> torch.Tensor:
        return projected_backgrounds(
            self._clips, clip, regions, members, present, gain, head
        )

    def _waves(self, clip: torch.Tensor, draws: Sequence[_VariedDraw]) -> torch.Tensor:
        wave = self._clips.waveforms[clip].clone()
        for b, draw in enumerate(draws):
            for k, course in draw.courses.items():
                wave[b, k] = self._tensor(course.astype(np.float32))
            if draw.related is not None:
                n = len(draw.related)
                share = self._tensor(draw.related.astype(np.float32))[:, None]
                mixed = share * wave[b, :1] + (1 - share) * wave[b, :n]
                wave[b, :n] = mixed / mixed.abs().amax(-1, keepdim=True)
        return wave

    def _windows(
        self, eeg: torch.Tensor, wave: torch.Tensor, draws: Sequence[_VariedDraw]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        eeg, wave = super()._windows(eeg, wave, draws)
        for kind in ("rhythm", "artifact"):
            drawn = [getattr(draw, f"{kind}s") for draw in draws]
            level = [float(getattr(draw, f"{kind}_db")) for draw in draws]
            eeg = self._with_more(eeg, drawn, level)
        join_electrodes(eeg, [draw.bridges for draw in draws])
        return eeg, wave

    def _have_topography(self, draws: Sequence[_VariedDraw]) -> torch.Tensor | None:
        return self._tensor([draw.is_resting for draw in draws])

    def _with_more(
        self,
        eeg: torch.Tensor,
        drawn: Sequence[tuple[NDArray, NDArray] | None],
        level_db: list[float],
    ) -> torch.Tensor:
        """Add what is no source: courses times topographies, None for a sample of none."""
        none = np.zeros((0, eeg.shape[1])), np.zeros((0, eeg.shape[2]))
        arrays = stack_artifacts([none if pair is None else pair for pair in drawn])
        courses, topographies = map(self._tensor, arrays)
        return mix_artifacts(eeg, courses, topographies, self._tensor(level_db).float())

    def _n_times(self, draw: _VariedDraw) -> int:
        return self._block(draw.block).n_times


def _gain(wearer: Wearer) -> NDArray:
    """Return a leadfield as synthesis takes it: referenced, near one, transposed."""
    leadfield = wearer.leadfield
    if wearer.mapping is not None:
        leadfield = wearer.mapping @ leadfield
    leadfield = average_reference(leadfield)
    return (leadfield / np.linalg.norm(leadfield, axis=0).mean()).T.astype(np.float32)
