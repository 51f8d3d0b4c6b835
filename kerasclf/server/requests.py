"""What a request may be: bounded in bytes, in texts and in time."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request


class RequestError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """Limits of a request.

    Attributes:
        texts: texts in a request.
        bytes: bytes of its body.
        seconds: time until its body is complete.
    """

    texts: int
    bytes: int
    seconds: float


async def read_body(request: Request, limits: Limits) -> bytes:
    """Reads the body.

    Raises:
        RequestError: it is too large (413), or not complete in time (408).
    """
    too_large = RequestError(
        413, f"the body has more than {limits.bytes:,} bytes; send fewer texts"
    )
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limits.bytes:
        raise too_large
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.bytes:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError as error:
        raise RequestError(408, f"the body was not complete in {limits.seconds:g} s") from error
    except ClientDisconnect as error:
        raise RequestError(400, "the client has gone") from error
    return b"".join(chunks)


def parse_json(body: bytes) -> dict[str, Any]:
    """Parses a body as a JSON object.

    Raises:
        RequestError: it is not one.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {str(error)[:200]}") from error
    if not isinstance(content, dict):
        raise RequestError(400, f"the body is a JSON {type(content).__name__}; expected an object")
    return content


def check_texts(texts: Any, name: str, limits: Limits) -> list[str]:
    """The texts of a request.

    Args:
        texts: what the request has where its texts should be.
        name: of that place, for messages.
        limits: limits of a request.

    Raises:
        RequestError: they are not a list of strings (400), or too many (413).
    """
    if not isinstance(texts, list):
        raise RequestError(400, f"{name!r} is a {type(texts).__name__}; expected a list of texts")
    if len(texts) > limits.texts:
        raise RequestError(
            413, f"found {len(texts):,} texts, expected at most {limits.texts:,} in a request"
        )
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise RequestError(400, f"{name!r} has a {kind} at {place}; expected a string")
    return texts
