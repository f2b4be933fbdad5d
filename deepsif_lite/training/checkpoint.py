"""What a stopped run goes on from: ``checkpoint.pt``, with its log in ``log.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

from ..errors import MismatchError
from ..paths import whole_file
from .checkpoint_file import read_state, write_state
from .learner import Learner
from .monitor import Monitor
from .processes import Processes


class Checkpoint:
    """All that a resumed run needs, in ``checkpoint.pt``; its log in ``log.csv``.

    Parameters
    ----------
    out : Path
        Folder of the run.
    identity : dict
        What the run depends on; another one is refused.
    learner : Learner
    monitor : Monitor
    processes : Processes
        The first of them writes.
    """

    def __init__(
        self,
        out: Path,
        identity: dict,
        learner: Learner,
        monitor: Monitor,
        processes: Processes,
    ) -> None:
        self.out, self.identity = out, identity
        self.learner, self.monitor, self.processes = learner, monitor, processes

    def save(self) -> None:
        """Write both files; a kill meanwhile harms nothing."""
        if not self.processes.is_first:
            return
        state = {
            "identity": self.identity,
            "learner": self.learner.state_dict(),
            "monitor": self.monitor.state_dict(),
        }
        write_state(self.out / "checkpoint.pt", state)
        log = self.monitor.log
        with (
            whole_file(self.out / "log.csv") as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, log[0] if log else ())
            writer.writeheader()
            writer.writerows(log)

    def restore(self) -> None:
        """Go on from the file where there is one.

        Raises
        ------
        ArtifactError
            It is damaged.
        MismatchError
            It is of another run.
        """
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            return
        state = read_state(path, self.processes.device)
        if state["identity"] != self.identity:
            msg = (
                f"out={str(self.out)!r} holds a run made with {state['identity']}, "
                f"not {self.identity}; choose another folder or resume=False."
            )
            raise MismatchError(msg)
        self.learner.load_state_dict(state["learner"])
        self.monitor.load_state_dict(state["monitor"])
