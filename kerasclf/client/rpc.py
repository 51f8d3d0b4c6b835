"""TF Serving's gRPC API."""

import grpc

from kerasclf.client.address import Address
from kerasclf.client.base import Client
from kerasclf.client.errors import (
    AnswerError,
    DeadlineError,
    ModelNotFoundError,
    RequestError,
    ServerError,
    ServingError,
    UnreachableError,
)
from kerasclf.client.prediction import OUTPUTS, Prediction, make_predictions
from kerasclf.client.protos import only_protos
from kerasclf.client.tensors import read_tensor, write_strings

with only_protos():
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

ERRORS = {
    grpc.StatusCode.NOT_FOUND: ModelNotFoundError,
    grpc.StatusCode.INVALID_ARGUMENT: RequestError,
    grpc.StatusCode.UNIMPLEMENTED: RequestError,
}
"""Errors by status; any other status is a ServerError."""
CONNECTION_FAILURES = (
    *("failed to connect", "connection refused", "connection reset", "broken pipe"),
    *("socket closed", "endpoint closing", "goaway", "resolution failed", "errors resolving"),
)
"""Parts of gRPC's own messages for UNAVAILABLE, which servers also return when overloaded."""
OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Only this client retries, and it may reconnect sooner than gRPC would.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class GrpcClient(Client):
    """A client of TF Serving's gRPC API."""

    def __init__(self, address: Address, timeout: float, retries: int, batch_size: int):
        """Makes a client; the arguments are those of `kerasclf.client.connect`."""
        super().__init__(address, timeout, retries, batch_size)
        self._channel = grpc.insecure_channel(address.host, OPTIONS)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def _send(self, texts: list[bytes]) -> list[Prediction]:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.address.model
        if self.address.version is not None:
            request.model_spec.version.value = self.address.version
        elif self.address.label is not None:
            request.model_spec.version_label = self.address.label
        write_strings(request.inputs["text"], texts)
        try:
            outputs = self._stub.Predict(request, timeout=self.timeout).outputs
        except grpc.RpcError as error:
            raise self._explain(error) from error
        missing = [name for name in OUTPUTS if name not in outputs]
        if missing:
            raise AnswerError(
                f"the model at {self.address.url} has no output {missing[0]!r}; expected a model "
                "that kerasclf saved_model published"
            )
        columns = [read_tensor(outputs[name]) for name in OUTPUTS]
        sizes = {len(column) for column in columns}
        if sizes != {len(texts)}:
            raise AnswerError(
                f"found {' or '.join(map(str, sorted(sizes)))} predictions in the response, "
                f"expected {len(texts)}; is the model one that kerasclf saved_model published?"
            )
        rows = [dict(zip(OUTPUTS, row, strict=True)) for row in zip(*columns, strict=True)]
        return make_predictions(rows, len(texts))

    def _explain(self, error: grpc.RpcError) -> ServingError:
        code, details = error.code(), error.details()
        url = self.address.url
        if code == grpc.StatusCode.UNAVAILABLE and _is_connection_failure(details):
            return UnreachableError(
                f"no connection to {url} ({details}); is the server running, and is this its gRPC "
                "port?"
            )
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineError(
                f"no response from {url} within {self.timeout:g} s; raise the timeout, or send "
                "fewer texts per request"
            )
        return ERRORS.get(code, ServerError)(f"{url} returned {code.name}: {details}")

    def close(self) -> None:
        """Closes the connections."""
        self._channel.close()


def _is_connection_failure(details: str) -> bool:
    return any(part in details.lower() for part in CONNECTION_FAILURES)
