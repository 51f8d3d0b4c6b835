"""The base class of REST and gRPC clients: checks, batches and retries."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Self

from kerasclf.client.address import Address
from kerasclf.client.errors import TextError, UnreachableError
from kerasclf.client.prediction import Prediction
from kerasclf.errors import UserError

FIRST_PAUSE = 0.1
"""Seconds before the first retry; doubled for each further one."""


class Client(ABC):
    """Predicts labels with a served model. Threads may share a client."""

    def __init__(self, address: Address, timeout: float, retries: int, batch_size: int):
        """Makes a client; the arguments are those of `kerasclf.client.connect`.

        Raises:
            UserError: an argument is out of its range.
        """
        for name, value, least in (("retries", retries, 0), ("batch_size", batch_size, 1)):
            if value < least:
                raise UserError(f"found {name}={value}, expected at least {least}")
        if not timeout > 0:
            raise UserError(f"found timeout={timeout}, expected a number of seconds above 0")
        self.address, self.timeout = address, timeout
        self.retries, self.batch_size = retries, batch_size

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """Predicts the labels of n texts.

        Args:
            texts: n strings; if there are none, no request is sent.

        Returns:
            n predictions in the order of the texts.

        Raises:
            TextError: a text is not a string; nothing was sent.
            ServingError: a request failed; the subclass says how.
        """
        encoded = _encode(texts)
        starts = range(0, len(encoded), self.batch_size)
        batches = [encoded[start : start + self.batch_size] for start in starts]
        return [prediction for batch in batches for prediction in self._send_or_retry(batch)]

    def _send_or_retry(self, texts: list[bytes]) -> list[Prediction]:
        for attempt in range(self.retries):
            try:
                return self._send(texts)
            except UnreachableError:
                # Jitter: clients that lost a server together should not reconnect together.
                time.sleep(FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))
        return self._send(texts)

    @abstractmethod
    def _send(self, texts: list[bytes]) -> list[Prediction]:
        """Sends one request with UTF-8 texts.

        Raises:
            UnreachableError: the connection failed or broke.
            ServingError: the request failed otherwise.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _encode(texts: Iterable[str]) -> list[bytes]:
    if isinstance(texts, str | bytes):
        raise TextError(f"found one {type(texts).__name__}, expected a list of strings")
    try:
        texts = list(texts)
    except TypeError:
        raise TextError(f"found {type(texts).__name__}, expected a list of strings") from None
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TextError(
                f"text {i} is {text!r:.40} of type {type(text).__name__}, expected a string"
            )
    # Lone surrogates have no UTF-8 form; they are replaced as `Classifier` replaces them.
    return [text.encode("utf-8", "replace") for text in texts]
