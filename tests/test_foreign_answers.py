"""Answers that the protocols allow and kerasclf serve does not give."""

import json

import numpy as np
import pytest

from kerasclf import client

V1, V2 = "http://127.0.0.1:1/v1/models/m", "http://127.0.0.1:1/v2/models/m"


def tensor(name, datatype, shape, data):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


COLUMNS = [
    tensor("label", "BYTES", [2], ["b", "a"]),
    tensor("class_id", "INT32", [2], [1, 0]),
    tensor("review", "BOOL", [2], [False, True]),
    tensor("probabilities", "FP32", [2, 2], [0.25, 0.75, 0.5, 0.5]),
]
NARROW = [{**output, "shape": [2, 1]} for output in COLUMNS[:3]] + COLUMNS[3:]
NESTED = [
    {**output, "data": np.reshape(output["data"], output["shape"]).tolist()} for output in NARROW
]

EXTRA = {"name": "language", "datatype": "BYTES", "shape": [2], "parameters": {"binary": 9}}


def answer(monkeypatch, content, status=200):
    """Makes every request get this answer."""
    body = json.dumps(content).encode()
    monkeypatch.setattr("kerasclf.client.rest.request", lambda *_: (status, body))


@pytest.mark.parametrize("outputs", [COLUMNS, NARROW, NESTED], ids=["flat", "narrow", "nested"])
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"model_version": "7"}, 7),
        ({"model_version": "v1"}, 0),
        ({"model_version": None}, 0),
        ({}, 0),
    ],
)
def test_what_v2_allows_is_read(monkeypatch, outputs, version, expected):
    answer(monkeypatch, {"model_name": "m", **version, "outputs": [*outputs, EXTRA]})
    with client.connect(V2) as model:
        found = model.predict(["x", "y"])
    assert found == [
        client.Prediction("b", 1, (0.25, 0.75), False, expected),
        client.Prediction("a", 0, (0.5, 0.5), True, expected),
    ]


@pytest.mark.parametrize("shape", [[3], [2, 2], [-1], [], [2, 1, 0], "2", None])
def test_a_shape_that_is_not_that_of_its_values_is_refused(monkeypatch, shape):
    answer(monkeypatch, {"outputs": [{**COLUMNS[0], "shape": shape}, *COLUMNS[1:]]})
    with client.connect(V2) as model, pytest.raises(client.AnswerError, match="expected JSON"):
        model.predict(["x", "y"])


@pytest.mark.parametrize("url", [V1, V2])
def test_a_request_that_fastapi_refuses_is_a_request_error(monkeypatch, url):
    answer(monkeypatch, {"detail": [{"msg": "JSON decode error"}]}, 422)
    with client.connect(url) as model, pytest.raises(client.RequestError, match="JSON decode"):
        model.predict(["x"])
