"""The command ``deepsif-lite``: parse, call one public function, print the path."""

from .program import main

__all__ = ["main"]
