"""What a server means that answers with anything but 200."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

from equipoise.endpoint.errors import EndpointError, PassingError, RefusedError

LONGEST_WAIT = 60.0  # seconds
OF_ONE_REQUEST = frozenset({400, 413, 422})
"""What servers answer of a request that is too long, that a filter stops, or that is none of their protocol."""


def refusal(status: int, answer: Any, address: str, wait: str | None = None) -> EndpointError:
    """What a status other than 200 means, in words.

    Args:
        status: The status.
        answer: What was said with it.
        address: Who said it.
        wait: The header `retry-after`.
    """
    fault = answer.get("error", answer) if isinstance(answer, dict) else answer
    said = str(fault.get("message", fault) if isinstance(fault, dict) else fault)[:300]
    what = f"The server answered {status}: {said}"
    if status == 429 or status >= 500:
        after = _retry_after(wait)
        if after is None or after <= LONGEST_WAIT:
            return PassingError(what, after=after, where=address)
        return EndpointError(what, where=address, todo=f"It asks to wait {after:.0f} seconds.")
    if status in OF_ONE_REQUEST:
        return RefusedError(what, status=status, where=address)
    advice = {
        401: "Set the key in EQUIPOISE_API_KEY (or OPENAI_API_KEY beside OPENAI_BASE_URL).",
        403: "The key may not do this.",
        404: "Check the name of the model, and that the address ends with its version, as in /v1.",
    }
    return EndpointError(what, where=address, todo=advice.get(status))


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
