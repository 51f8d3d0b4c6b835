"""TF Serving's REST API."""

import json
from typing import Any

import urllib3

from kerasclf.client.address import Address
from kerasclf.client.base import Client
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
    504: DeadlineError,
}
"""By status; any other one that is not 200 is a ServerError."""


class RestClient(Client):
    """Posts JSON."""

    def __init__(self, address: Address, timeout: float, retries: int, batch_size: int):
        """Makes a client; `kerasclf.client.connect` says what the arguments are."""
        super().__init__(address, timeout, retries, batch_size)
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, timeout=timeout, retries=False)
        self._url = f"{address.url.rstrip('/')}:predict"

    def _send(self, texts: list[bytes]) -> list[Prediction]:
        body = json.dumps({"instances": [text.decode() for text in texts]})
        try:
            # `redirect`: a model has one place; its texts are not sent on to another.
            answer = self._pool.request(
                "POST",
                self._url,
                body=body.encode(),
                headers={"Content-Type": "application/json"},
                redirect=False,
            )
        except urllib3.exceptions.NewConnectionError as error:
            # It counts as a timeout by its class, also where the connection was refused.
            raise self._unreachable(error) from error
        except urllib3.exceptions.TimeoutError as error:
            raise DeadlineError(
                f"no answer of {self.address.url} within {self.timeout:g} s; raise the timeout, "
                "or send fewer texts at once"
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if answer.status != 200:
            kind = ERRORS.get(answer.status, ServerError)
            raise kind(f"{self._url} answered {answer.status}: {_read_error(answer.data)}")
        try:
            rows = json.loads(answer.data)["predictions"]
        except (ValueError, KeyError, TypeError) as error:
            raise AnswerError(
                f"{self._url} answered {answer.data[:80]!r}, expected JSON with predictions"
            ) from error
        return make_predictions(rows if isinstance(rows, list) else [], len(texts))

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            f"no connection to {self.address.url} ({error}); is the server running, and is this "
            "its REST port?"
        )

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()


def _read_error(content: bytes) -> Any:
    """The message of an error's body, or its beginning where it is not TF Serving's."""
    try:
        return json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        return content[:200].decode("utf-8", "replace")
