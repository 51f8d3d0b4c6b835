"""Talks to a model that TF Serving serves, over REST or gRPC; TensorFlow is not imported.

>>> from kerasclf import client
>>> with client.connect("http://localhost:8501/v1/models/chat-language") as model:
...     model.predict(["selamat pagi"])[0].label
'indonesian'
"""

from kerasclf.client.address import Address
from kerasclf.client.base import Client
from kerasclf.client.errors import (
    AnswerError,
    DeadlineError,
    ModelNotFoundError,
    RequestError,
    ServerError,
    ServingError,
    TextError,
    UnreachableError,
)
from kerasclf.client.prediction import Prediction

__all__ = [
    "AnswerError",
    "Client",
    "DeadlineError",
    "ModelNotFoundError",
    "Prediction",
    "RequestError",
    "ServerError",
    "ServingError",
    "TextError",
    "UnreachableError",
    "connect",
]


def connect(url: str, timeout: float = 10.0, retries: int = 3, batch_size: int = 256) -> Client:
    """Makes a client of one served model; the first request opens the connection.

    Args:
        url: `http://HOST:8501/v1/models/NAME` for REST (or https), or
            `grpc://HOST:8500/v1/models/NAME` for gRPC; `/versions/N` or `/labels/LABEL` at its end
            chooses a version, else the newest one answers.
        timeout: seconds that a request may take.
        retries: how often a request is sent again after the connection failed.
        batch_size: texts of a request; longer lists become several requests.

    Raises:
        UserError: the URL is not of that form, or gRPC lacks the extra `serving`.
    """
    address = Address.parse(url)
    if address.scheme == "grpc":
        from kerasclf.client.protos import check_installed

        check_installed()
        from kerasclf.client.rpc import GrpcClient as chosen
    else:
        from kerasclf.client.rest import RestClient as chosen
    return chosen(address, timeout, retries, batch_size)
