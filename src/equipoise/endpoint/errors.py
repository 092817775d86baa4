"""What can go wrong when another machine is asked."""

from __future__ import annotations

from equipoise.errors import EquipoiseError


class EndpointError(EquipoiseError):
    """A server could not be asked, or its answer cannot be used."""


class AnswerError(EndpointError):
    """A server answered, but not with what was asked for; it may, asked again."""


class RefusedError(AnswerError):
    """One request got no answer of the protocol: the server refused it (400, 413, 422), or sent no JSON object.

    That may be a matter of what was asked (a text that is too long, or that a filter stops), so that the next request
    fares better; or of how anything is asked, so that none ever does.

    Args:
        what: What was wrong.
        status: What the server answered; 200 where it was no JSON object.
    """

    def __init__(self, what: str, *, status: int, where: str | None = None, todo: str | None = None) -> None:
        super().__init__(what, where=where, todo=todo)
        self.status = status


class CutOffError(AnswerError):
    """An answer ended because no more tokens were allowed.

    Args:
        text: What was answered until then; may be empty.
    """

    def __init__(self, text: str, *, where: str | None = None) -> None:
        super().__init__("The answer is cut off", where=where, todo="Allow more tokens, or ask for less.")
        self.text = text


class BudgetError(EndpointError):
    """The next request would go beyond what the budget allows."""


class PassingError(EndpointError):
    """A fault that may pass: worth another try.

    Args:
        what: What was wrong.
        after: Seconds the server asks to wait, where it says so.
    """

    def __init__(self, what: str, *, after: float | None = None, where: str | None = None) -> None:
        super().__init__(what, where=where, todo="It was tried several times; try again later.")
        self.after = after
