"""A client of kerasclf serve and TF Serving, over REST or gRPC, that imports no TensorFlow.

```python
from kerasclf import client

with client.connect("http://localhost:8501/v1/models/chat-language") as model:
    model.predict(["selamat pagi"])[0].label  # "indonesian"
```
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
    """Returns a client of one served model; the first request opens the connection.

    Args:
        url: `http://HOST:8501/v1/models/NAME` for TF Serving's REST API (or https), the same with
            /v2/ for the Open Inference Protocol, or `grpc://HOST:8500/v1/models/NAME` for gRPC.
            `/versions/N` or `/labels/LABEL` at the end selects a version; the default is the
            newest.
        timeout: seconds per request.
        retries: how often a request is sent again after the connection has failed.
        batch_size: texts per request; longer lists are split into several requests.

    Raises:
        UserError: the URL has another form, an argument is out of range, or the extra `serving`,
            which gRPC needs, is not installed.
    """
    address = Address.parse(url)
    if address.scheme == "grpc":
        from kerasclf.client.protos import check_installed

        check_installed()
        from kerasclf.client.rpc import GrpcClient

        return GrpcClient(address, timeout, retries, batch_size)
    if address.protocol == "v2":
        from kerasclf.client.v2 import V2Client

        return V2Client(address, timeout, retries, batch_size)
    from kerasclf.client.rest import RestClient

    return RestClient(address, timeout, retries, batch_size)
