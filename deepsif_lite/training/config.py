"""What a training run depends on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..errors import OptionError, check_interval, check_option, check_range
from ..network.build import NETWORKS
from ..profiles import Profile, get_profile
from ..synthesis.variety import Variety

SCHEDULES = ("cosine", "stepped", "constant")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# Patches in the samples of a network for any cap: none in one of seven, up to five.
ANY_CAP_SOURCES = (0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5)
# Sizes of a network for any cap: it has more to tell apart than one for a single cap.
ANY_CAP_SIZES = {"width": 192, "depth": 3, "local_width": 96, "n_messages": 3}


@dataclass(frozen=True)
class TrainingConfig:
    """What a run depends on, besides its head model, clips and resting EEG.

    The defaults train a ``lite`` network for the cap of one head model. A configuration
    checks itself when it is made.

    Attributes
    ----------
    network : str
        ``"lite"`` or ``"paper"``.
    n_steps : int
        Optimizer steps of the whole run.
    batch_size : int
        Samples a step.
    learning_rate : float
        Peak of the schedule (3e-4 in the paper).
    schedule : str
        ``"cosine"`` (with warm-up), ``"stepped"``: a tenth after each half, as the
        paper divides by ten every ten of its twenty epochs, or ``"constant"``, as the
        authors' code has it.
    weight_decay : float
        Of Adam (L2, paper's network) or AdamW (lite).
    n_sources : tuple of int
        Patches in a sample, one of these drawn each time. One in seven has none, so
        that the network learns to find nothing.
    n_times : int | None
        Length of the windows, samples; by default that of the clips.
    resting_share : float
        Share of the noise power that is resting EEG instead of white noise; with
        ``variety``, that is ``variety.resting_share``.
    electrode_jitter : tuple of float
        Range of the distance by which electrodes are beside those of the head model,
        meters; see :class:`~deepsif_lite.synthesis.SyntheticEEG`.
    variety : Variety | None
        Train for any cap and for what recordings hold besides, see
        :class:`~deepsif_lite.synthesis.VariedEEG`; None trains for the cap of the
        head model alone, on samples as the paper's. With it, ``n_times`` and
        ``electrode_jitter`` count for the validation only.
    seed : int
        Of weights and stream.
    validation_size : int
        Samples the validation loss is taken on.
    score_size : int
        Samples scored with the paper's metrics.
    score_every : int
        Steps between two scorings; a long run takes more, so that it is scored 40
        times. The last step is always scored.
    ema_decay : float
        Above 0, weights are averaged over the steps: the average keeps this share of
        itself at each step, and it is what is validated and exported.
    precision : str
        ``"float32"``, ``"bfloat16"``, ``"float16"`` (with scaled gradients), or
        ``"auto"``: bfloat16 on a GPU that computes with it, float16 on others, and
        float32 for the paper's network and on the CPU, which it resumes exactly.
    options : dict
        Arguments of the network besides its kind and sizes.

    Raises
    ------
    OptionError
        A choice is unknown, or a number out of range.
    """

    network: str = "lite"
    n_steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-4
    n_sources: tuple[int, ...] = (0, 1, 2, 3, 1, 2, 3)
    n_times: int | None = None
    resting_share: float = 0.0
    electrode_jitter: tuple[float, float] = (0.0, 0.01)
    variety: Variety | None = None
    seed: int = 0
    validation_size: int = 256
    score_size: int = 144
    score_every: int = 250
    ema_decay: float = 0.998
    precision: str = "auto"
    options: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_option("network", self.network, NETWORKS)
        check_option("schedule", self.schedule, SCHEDULES)
        check_option("precision", self.precision, PRECISIONS)
        for name in ("n_steps", "batch_size", "validation_size", "score_size"):
            check_range(name, getattr(self, name), 1)
        check_range("score_every", self.score_every, 1)
        check_range("learning_rate", self.learning_rate, 0, open_low=True)
        check_range("weight_decay", self.weight_decay, 0)
        check_range("ema_decay", self.ema_decay, 0, 1)
        check_range("resting_share", self.resting_share, 0, 1)
        check_range("seed", self.seed, 0)
        check_interval("electrode_jitter", self.electrode_jitter, 0)
        if self.n_times is not None:
            check_range("n_times", self.n_times, 2)
        if self.variety is not None and self.network != "lite":
            msg = f"variety needs network='lite', which serves any cap, not {self.network!r}."
            raise OptionError(msg)
        if self.variety is not None and self.resting_share > 0:
            msg = (
                f"resting_share={self.resting_share} is that of a single cap; with "
                f"variety, give Variety(resting_share={self.resting_share})."
            )
            raise OptionError(msg)
        if not self.n_sources:
            msg = "n_sources=() must hold a number of patches to draw from."
            raise OptionError(msg)
        for count in self.n_sources:
            check_range("n_sources", count, 0)


def configuration_of(
    profile: str | Profile = "lite", network: str = "lite"
) -> TrainingConfig:
    """Return the configuration of a run of one profile's size.

    Parameters
    ----------
    profile : str | Profile
        ``"smoke"``, ``"lite"`` or ``"paper"``: how many samples.
    network : str
        ``"lite"``, or ``"paper"`` with the paper's samples, learning rate, its steps
        and its weight decay, and hidden sizes rounded up to what GPUs are quickest on.

    Raises
    ------
    OptionError
        No such profile or network.
    """
    size = get_profile(profile)
    steps = size.n_training_samples // size.batch_size
    config = TrainingConfig(network, n_steps=steps, batch_size=size.batch_size)
    if network != "paper":
        return config
    return replace(
        config,
        n_sources=(1, 2, 3),
        electrode_jitter=(0.0, 0.0),
        learning_rate=3e-4,
        schedule="stepped",
        weight_decay=1e-6,
        ema_decay=0.0,
        options={"multiple": 128},
    )
