"""Networks of Jansen-Rit neural masses with conduction delays."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "connectome": ["Connectome", "load_connectome", "surrogate_connectome"],
        "fixed_points": [
            "FixedPoint",
            "find_fixed_points",
            "resting_input",
            "right_hand_side",
        ],
        "model": ["HEALTHY_GAIN", "MODEL", "JansenRit"],
        "simulation": ["ENGINES", "simulate", "simulate_chunks"],
    },
)
