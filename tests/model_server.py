"""A small model server for tests: the documented interface of TF Serving, run by TensorFlow.

It is not TF Serving. It reads models.config, loads the model versions listed there with their
labels, and serves PredictionService.Predict and .Classify over gRPC, and the REST routes of both.
"""

import json
import re
import threading
import time
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import (
    classification_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

FIELDS = {
    tf.float32: "float_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
STATUS = {"NOT_FOUND": 404, "INVALID_ARGUMENT": 400, "UNAVAILABLE": 503}
ROUTE = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/([^/:]+))?(?::(predict|classify))?"
)


class RejectionError(Exception):
    """A rejected request: the name of a gRPC status, and a message."""


class Models:
    """Model versions by model name.

    Attributes:
        requests: number of requests received.
        delay: seconds by which each response is delayed.
        busy: whether every request is rejected because the queue is full.
    """

    def __init__(self, root):
        config = model_server_config_pb2.ModelServerConfig()
        text_format.Parse((root / "models.config").read_text(), config)
        self.models, self.labels = {}, {}
        for model in config.model_config_list.config:
            count = model.model_version_policy.latest.num_versions
            folder = root / model.base_path.removeprefix("/models/")
            numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
            self.models[model.name] = {
                number: tf.saved_model.load(str(folder / str(number)))
                for number in numbers[-count:]
            }
            self.labels[model.name] = dict(model.version_labels)
        self.requests, self.delay, self.busy = 0, 0.0, False

    def find(self, name, version, label, signature):
        self.requests += 1
        time.sleep(self.delay)
        if self.busy:
            raise RejectionError("UNAVAILABLE", "The batch scheduling queue is full")
        versions = self.models.get(name, {})
        if label:
            number = self.labels.get(name, {}).get(label)
        else:
            number = version or max(versions, default=None)
        if number not in versions:
            raise RejectionError(
                "NOT_FOUND", f"Servable not found for request: {name} {version or label}"
            )
        return versions[number].signatures[signature]

    def call(self, signature, **inputs):
        try:
            return signature(**inputs)
        except tf.errors.InvalidArgumentError as error:
            raise RejectionError("INVALID_ARGUMENT", error.message) from error


class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models):
        self.models = models

    def Predict(self, request, context):
        response = predict_pb2.PredictResponse()
        with abort_rejected(context):
            signature = self.find(request.model_spec, "serving_default")
            inputs = {name: tf.constant(tf.make_ndarray(p)) for name, p in request.inputs.items()}
            for name, value in self.models.call(signature, **inputs).items():
                proto = response.outputs[name]
                proto.dtype = value.dtype.as_datatype_enum
                proto.tensor_shape.CopyFrom(value.shape.as_proto())
                getattr(proto, FIELDS[value.dtype]).extend(value.numpy().ravel().tolist())
        return response

    def Classify(self, request, context):
        response = classification_pb2.ClassificationResponse()
        with abort_rejected(context):
            signature = self.find(request.model_spec, "classify")
            examples = [e.SerializeToString() for e in request.input.example_list.examples]
            outputs = self.models.call(signature, inputs=tf.constant(examples))
            for labels, scores in zip(
                *map(as_rows, (outputs["classes"], outputs["scores"])), strict=True
            ):
                row = response.result.classifications.add()
                for label, score in zip(labels, scores, strict=True):
                    row.classes.add(label=label, score=score)
        return response

    def find(self, spec, signature):
        label = spec.version_label or None
        return self.models.find(spec.name, spec.version.value or None, label, signature)


@contextmanager
def abort_rejected(context):
    try:
        yield
    except RejectionError as rejection:
        context.abort(grpc.StatusCode[rejection.args[0]], rejection.args[1])


def make_handler(models):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            route = ROUTE.fullmatch(self.path)
            try:
                if route is None or route[4] is None:
                    raise RejectionError("INVALID_ARGUMENT", "Malformed request")
                self.reply(200, self.respond(route, json.loads(body)))
            except RejectionError as rejection:
                self.reply(STATUS[rejection.args[0]], {"error": rejection.args[1]})

        def respond(self, route, request):
            name, version, label, verb = route.groups()
            signature_name = "serving_default" if verb == "predict" else "classify"
            signature = models.find(name, version and int(version), label, signature_name)
            if verb == "predict":
                outputs = models.call(signature, text=tf.constant(request["instances"]))
                columns = {key: as_rows(value) for key, value in outputs.items()}
                rows = zip(*columns.values(), strict=True)
                return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}
            examples = [make_example(row["text"]) for row in request["examples"]]
            outputs = models.call(signature, inputs=tf.constant(examples))
            pairs = zip(as_rows(outputs["classes"]), as_rows(outputs["scores"]), strict=True)
            return {"results": [list(zip(*pair, strict=True)) for pair in pairs]}

        def reply(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def make_example(text):
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    features = tf.train.Features(feature={"text": feature})
    return tf.train.Example(features=features).SerializeToString()


def as_rows(tensor):
    values = tensor.numpy()
    if tensor.dtype == tf.string:
        values = values.astype(str)
    return values.tolist()


class ModelServer:
    """Serves the models of a folder until it is closed.

    Attributes:
        models: the served models.
        hosts: host and port by scheme.
    """

    def __init__(self, root):
        self.models = Models(root)
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)]
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            Servicer(self.models), self._grpc
        )
        grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self.models))
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()
        self.hosts = {
            "http": f"127.0.0.1:{self._http.server_port}",
            "grpc": f"127.0.0.1:{grpc_port}",
        }

    def url(self, scheme, model, suffix=""):
        return f"{scheme}://{self.hosts[scheme]}/v1/models/{model}{suffix}"

    def close(self):
        self._grpc.stop(0).wait()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
