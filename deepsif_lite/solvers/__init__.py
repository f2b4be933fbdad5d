"""The table of methods, and classical inverse solvers at the level of regions."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "champagne": ["ChampagneResult", "PatchSource", "fit_champagne"],
        "methods": ["METHODS", "Method", "SOLVERS", "get_solver"],
        "whitening": ["noise_covariance", "whiten"],
    },
)
