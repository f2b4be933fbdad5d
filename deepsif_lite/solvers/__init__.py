"""Classical inverse solvers at the level of regions, all with one signature."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "methods": ["SOLVERS", "get_solver"],
        "whitening": ["noise_covariance", "whiten"],
    },
)
