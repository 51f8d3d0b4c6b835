"""TF Serving's REST API."""

import json
from typing import Any

import urllib3

from kerasclf.client.address import Address
from kerasclf.client.base import Client
from kerasclf.client.bounded import MOST_BYTES, TooLargeError, make_pool, request
from kerasclf.client.errors import (
    AnswerError,
    DeadlineError,
    ModelNotFoundError,
    RequestError,
    ServerError,
    UnreachableError,
)
from kerasclf.client.prediction import Prediction, make_predictions

CONNECTIONS = 64
ERRORS = {
    400: RequestError,
    404: ModelNotFoundError,
    405: RequestError,
    413: RequestError,
    # FastAPI's, on which KServe and MLServer are built.
    422: RequestError,
    504: DeadlineError,
}
"""Errors by HTTP status; any other status but 200 is a ServerError."""


class RestClient(Client):
    """A client of TF Serving's REST API."""

    _method = ":predict"

    def __init__(self, address: Address, timeout: float, retries: int, batch_size: int):
        """Makes a client; the arguments are those of `kerasclf.client.connect`."""
        super().__init__(address, timeout, retries, batch_size)
        self._pool = make_pool(CONNECTIONS, timeout)
        self._url = address.url.rstrip("/") + self._method

    def _send(self, texts: list[bytes]) -> list[Prediction]:
        try:
            # No redirects: texts are sent only to the server that the user named.
            status, content = request(self._pool, self._url, self._write(texts), self.timeout)
        except TooLargeError as error:
            raise AnswerError(
                f"{self._url} returned more than {MOST_BYTES:,} bytes; send fewer texts per request"
            ) from error
        except urllib3.exceptions.NewConnectionError as error:
            # A refused connection, although urllib3 derives this class from TimeoutError.
            raise self._unreachable(error) from error
        except urllib3.exceptions.TimeoutError as error:
            raise DeadlineError(
                f"no response from {self.address.url} within {self.timeout:g} s; raise the "
                "timeout, or send fewer texts per request"
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if status != 200:
            error_class = ERRORS.get(status, ServerError)
            raise error_class(f"{self._url} returned status {status}: {_read_error(content)}")
        try:
            rows = self._read(json.loads(content))
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise AnswerError(
                f"{self._url} returned {content[:80]!r}, expected JSON with predictions"
            ) from error
        return make_predictions(rows if isinstance(rows, list) else [], len(texts))

    def _write(self, texts: list[bytes]) -> bytes:
        """The body of a request."""
        return json.dumps({"instances": [text.decode() for text in texts]}).encode()

    def _read(self, content: Any) -> Any:
        """The predictions in the body of a response, a mapping for each text."""
        return content["predictions"]

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            f"no connection to {self.address.url} ({_reason(error)}); is the server running, and "
            "is this its REST port?"
        )

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()


def _read_error(content: bytes) -> Any:
    """The error message in the body of a response, or the start of the body if there is none."""
    try:
        return str(json.loads(content)["error"])[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return content[:200].decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    """The message of urllib3 without the connection that it begins with.

    >>> _reason(OSError("HTTPConnection(host='a', port=1): Connection refused"))
    'Connection refused'
    """
    return str(error).rpartition("): ")[2]
