"""What is measured while a network learns: losses, scores, and which weights are best."""

from __future__ import annotations

import copy
import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..errors import OptionError
from .config import TrainingConfig
from .learner import Learner
from .processes import Processes, sum_over_processes
from .validation import SCORES, ScoreSet

if TYPE_CHECKING:
    from ..synthesis.samples import Batch
    from ..synthesis.stream import SyntheticEEG

VALIDATION_OFFSET = 1 << 40  # indices of the stream that no training reaches
MAX_LOGS = 60  # points of a run's log; validation loss must stay cheap
LOG_EVERY = 10  # steps between them at least
MAX_SCORINGS = 40  # times a run is scored; one costs as much as some ten steps
N_FINAL = 4  # times as many samples decide between the best and the last weights


class Monitor:
    """Losses and scores of one run.

    Parameters
    ----------
    learner : Learner
    stream : SyntheticEEG
        Samples far beyond those of the training are set aside.
    config : TrainingConfig
    processes : Processes

    Attributes
    ----------
    seconds, waiting_seconds : float
        Spent in the loop so far, and of these waiting for data.
    log : list of dict
        A row for each log point.
    best : dict | None
        ``step``, ``scores`` and ``network`` (its state) of the best F-measure.
    """

    def __init__(
        self,
        learner: Learner,
        stream: SyntheticEEG,
        config: TrainingConfig,
        processes: Processes,
    ) -> None:
        self._learner, self._stream = learner, stream
        self._config, self._processes = config, processes
        self._losses: list[Tensor | float] = []
        self.seconds, self.waiting_seconds = 0.0, 0.0
        self.log: list[dict] = []
        self.best: dict | None = None

    def add(self, loss: Tensor) -> None:
        """Take the loss of a step, and log a row when one is due."""
        self._losses.append(loss)
        config, step = self._config, self._learner.step
        every = max(LOG_EVERY, config.n_steps // MAX_LOGS)
        if step % every == 0 or step == config.n_steps:
            self._add_row(step)

    def _add_row(self, step: int) -> None:
        training_loss = float(np.mean([float(loss) for loss in self._losses]))
        if not math.isfinite(training_loss):
            msg = (
                f"learning_rate={self._config.learning_rate}: the loss is not finite "
                f"at step {step}; lower it and start anew (resume=False)."
            )
            raise OptionError(msg)
        self._losses = []
        row = {
            "step": step,
            "samples": step * self._config.batch_size,
            "seconds": self.seconds,
            "waited": self.waiting_seconds,
            "training_loss": training_loss,
            "validation_loss": self.validate(),
        }
        is_scored = self._is_score_due(step) and self._processes.is_first
        scores = self._keep_best(step) if is_scored else dict.fromkeys(SCORES)
        self.log.append(row | scores)

    def _is_score_due(self, step: int) -> bool:
        every = max(self._config.score_every, self._config.n_steps // MAX_SCORINGS)
        last = self.log[-1]["step"] if self.log else 0
        # At the first log point after each multiple, for not all are multiples.
        return step // every > last // every or step == self._config.n_steps

    def _keep_best(self, step: int) -> dict[str, float]:
        """Score the weights, and keep them if none were better."""
        scores = self.score()
        least = self.best["scores"]["f_measure"] if self.best else 0.0
        if scores["f_measure"] >= least:  # of two alike, the later has learned longer
            state = copy.deepcopy(self._learner.exported.state_dict())
            self.best = {"step": step, "scores": scores, "network": state}
        return scores

    @cached_property
    def _validation(self) -> Batch:
        last = VALIDATION_OFFSET + self._config.validation_size
        batch = self._stream.batch(self._processes.share(VALIDATION_OFFSET, last))
        return batch.to(self._processes.device)

    @torch.no_grad()
    def validate(self) -> float:
        """Return the loss on samples that training never reaches."""
        batch = self._validation  # made in full precision, like all data
        with self._learner.autocast():
            losses = self._learner.exported.loss(batch, total=sum_over_processes)
        return float(sum_over_processes(losses["total"]))

    @cached_property
    def score_set(self) -> ScoreSet:
        """Samples scored at each scoring."""
        last = VALIDATION_OFFSET + self._config.score_size
        return ScoreSet(self._stream, range(VALIDATION_OFFSET, last))

    @cached_property
    def final_set(self) -> ScoreSet:
        """Samples that neither loss nor scores were taken on while training."""
        size = self._config.score_size
        first = VALIDATION_OFFSET + max(size, self._config.validation_size)
        return ScoreSet(self._stream, range(first, first + N_FINAL * size))

    def score(self) -> dict[str, float]:
        """Return the paper's metrics on samples that training never reaches."""
        return self.score_set.scores(self._learner.exported, self._learner.autocast())

    def state_dict(self) -> dict:
        """Return all that the log and the choice of weights depend on."""
        return {
            "seconds": self.seconds,
            "waiting_seconds": self.waiting_seconds,
            "losses": [float(loss) for loss in self._losses],
            "log": self.log,
            "best": self.best,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from what :meth:`state_dict` returned."""
        self.seconds = state["seconds"]
        self.waiting_seconds = state["waiting_seconds"]
        self._losses, self.log = state["losses"], state["log"]
        self.best = state["best"]
