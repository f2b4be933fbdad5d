"""How big a run is: what grows from one profile to the next stands here alone."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import check_option

__all__ = ["PROFILES", "Profile", "get_profile"]


@dataclass(frozen=True)
class Profile:
    """Sizes of one kind of run.

    Attributes
    ----------
    name : str
        ``"smoke"``, ``"lite"`` or ``"paper"``.
    simulation_seconds : float
        Model time of the live simulations in chapter 1 (s).
    live_training_steps : int
        Length of the short training run shown in chapter 3.
    n_test_samples : int
        Synthetic test samples in each of the one-, two- and three-source sets.
    n_patients : int
        Size of the virtual cohort.
    n_training_samples : int
        Samples of a whole training run; those of the paper went through its network
        twenty times.
    batch_size : int
        Samples a training step.
    n_regions_per_gain : int
        Seed regions simulated for each gain and input setting when the spike
        library is built.
    """

    name: str
    simulation_seconds: float
    live_training_steps: int
    n_test_samples: int
    n_patients: int
    n_training_samples: int
    batch_size: int
    n_regions_per_gain: int


# The profiles by name.
PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "smoke",
            simulation_seconds=2.0,
            live_training_steps=5,
            n_test_samples=20,
            n_patients=3,
            n_training_samples=160,
            batch_size=32,
            n_regions_per_gain=2,
        ),
        Profile(
            "lite",
            simulation_seconds=10.0,
            live_training_steps=40,
            n_test_samples=300,
            n_patients=20,
            n_training_samples=144_000,
            batch_size=64,
            n_regions_per_gain=110,
        ),
        Profile(
            "paper",
            simulation_seconds=20.0,
            live_training_steps=5000,
            n_test_samples=3976,
            n_patients=20,
            n_training_samples=20 * 620_256,
            batch_size=64,
            n_regions_per_gain=994,
        ),
    )
}


def get_profile(name: str | Profile) -> Profile:
    """Return a profile by name.

    Parameters
    ----------
    name : str | Profile
        ``"smoke"``, ``"lite"`` or ``"paper"``; a profile is returned as it is.

    Returns
    -------
    Profile

    Raises
    ------
    OptionError
        No such profile.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> dl.get_profile("lite").name
    'lite'
    """
    if isinstance(name, Profile):
        return name
    check_option("profile", name, PROFILES)
    return PROFILES[name]
