"""The table of methods, and classical inverse solvers at the level of regions."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "cmem": ["CmemSolution", "solve_cmem"],
        "edge_sparse": ["Step"],
        "fast_ires": ["FastIresSolution", "solve_fast_ires"],
        "champagne": ["ChampagneResult", "PatchSource", "fit_champagne"],
        "methods": ["METHODS", "Method", "SOLVERS", "get_solver"],
        "time_basis": ["spike_courses"],
        "whitening": ["noise_covariance", "whiten", "whitening_matrix"],
    },
)
