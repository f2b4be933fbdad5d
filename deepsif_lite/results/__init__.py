"""What chapters write, and the scorecard made of it."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "store": [
            "Score",
            "commit",
            "environment",
            "read_experiment",
            "read_table",
            "write_figure",
            "write_scores",
            "write_table",
        ],
        "scorecard": [
            "our_scores",
            "paper_key",
            "paper_table",
            "paper_values",
            "count_verdicts",
            "load_scorecard",
            "to_markdown",
            "verdict",
        ],
    },
)
