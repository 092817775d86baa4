"""How tests call a command, as a person would from a console."""

import sys
from unittest.mock import patch

from equipoise.cli import main


def call(*words):
    """The exit code of a command, 0 when it just ends."""
    line = [str(word) for word in words]
    with patch.object(sys, "argv", ["equipoise", *line]):
        try:
            main(line)
        except SystemExit as end:
            return end.code or 0
    return 0
