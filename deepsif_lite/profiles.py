"""How big a run is. Nothing else in the code knows the size of things."""

from __future__ import annotations

from dataclasses import dataclass

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
    batch_size: int
    n_regions_per_gain: int


# The profiles by name.
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 2.0, 5, 20, 3, 32, 2),
        Profile("lite", 10.0, 150, 300, 8, 64, 110),
        Profile("paper", 20.0, 5000, 3976, 20, 64, 994),
    )
}


def get_profile(name: str | Profile) -> Profile:
    """Return a profile by name.

    Raises
    ------
    ValueError
        No such profile.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> dl.get_profile("lite").name
    'lite'
    """
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        msg = f"profile={name!r} is unknown; choose one of {', '.join(PROFILES)}."
        raise ValueError(msg)
    return PROFILES[name]
