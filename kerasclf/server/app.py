"""The application: routes, errors and metrics."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kerasclf import __version__
from kerasclf.console import warn
from kerasclf.server import rest, v2
from kerasclf.server.models import Model, Models, NotFoundError, Version
from kerasclf.server.requests import Limits, RequestError, parse_json, read_body

FEW = 4
"""Texts that are labelled at once; more of them are labelled in a thread, chunk by chunk."""
CHUNK = 64
LATENCIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class ModelName(StringConvertor):
    """A part of a path before ":predict"."""

    regex = "[^/:]+"


register_url_convertor("model", ModelName())
Handler = Callable[[Request, Model, Version], Awaitable[Response]]


class App:
    """Answers requests with the models of a server."""

    def __init__(self, models: Models, limits: Limits, threads: int):
        """Creates the application.

        Args:
            models: the models.
            limits: limits of a request.
            threads: threads that label texts.
        """
        self._models, self._limits = models, limits
        self._threads = ThreadPoolExecutor(threads, "label")
        registry = CollectorRegistry()
        self._registry = registry
        names = ("model", "version")
        self._texts = Counter("kerasclf_texts", "Texts labelled.", names, registry=registry)
        self._review = Counter(
            "kerasclf_review", "Texts flagged for review.", names, registry=registry
        )
        self._labels = Counter(
            "kerasclf_labels", "Texts by label.", (*names, "label"), registry=registry
        )
        self._responses = Counter(
            "kerasclf_responses", "Responses by status.", ("status",), registry=registry
        )
        self._running = Gauge(
            "kerasclf_running", "Requests that are being answered.", registry=registry
        )
        self._seconds = Histogram(
            "kerasclf_request_seconds",
            "Time from the head of a request to its response.",
            registry=registry,
            buckets=LATENCIES,
        )

    def make(self) -> Starlette:
        """The application for a server of ASGI."""

        @asynccontextmanager
        async def lifespan(_: Starlette):
            self._models.watch()
            yield
            self._models.stop()
            self._threads.shutdown()

        routes = [
            Route("/", self._page),
            Route("/metrics", self._metrics),
            Route("/v2", self._server),
            Route("/v2/health/live", self._alive),
            Route("/v2/health/ready", self._alive),
        ]
        for place in ("", "/versions/{version:int}", "/labels/{label:model}"):
            model = f"/v1/models/{{model:model}}{place}"
            routes += [
                Route(f"{model}:predict", self._answer(self._predict), methods=["POST"]),
                Route(f"{model}:classify", self._answer(self._classify), methods=["POST"]),
                Route(f"{model}/metadata", self._answer(self._metadata)),
                Route(model, self._answer(self._status)),
            ]
        for place in ("", "/versions/{version:int}"):
            model = f"/v2/models/{{model:model}}{place}"
            routes += [
                Route(f"{model}/infer", self._answer(self._infer), methods=["POST"]),
                Route(f"{model}/ready", self._answer(self._ready)),
                Route(model, self._answer(self._describe)),
            ]
        return Starlette(
            routes=routes, lifespan=lifespan, exception_handlers={HTTPException: self._refuse}
        )

    def _answer(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A handler with its model and version found, its errors as JSON, and its time measured."""

        async def answer(request: Request) -> Response:
            start = time.perf_counter()
            self._running.inc()
            try:
                model = self._models.find(request.path_params["model"])
                version = model.find(
                    request.path_params.get("version"), request.path_params.get("label")
                )
                response = await handler(request, model, version)
            except NotFoundError as error:
                response = _fail(404, str(error))
            except RequestError as error:
                response = _fail(error.status, str(error))
            except Exception as error:
                warn(f"{request.url.path}: {type(error).__name__}: {error}")
                response = _fail(500, "the server failed; its output says why")
            finally:
                self._running.dec()
            self._responses.labels(str(response.status_code)).inc()
            self._seconds.observe(time.perf_counter() - start)
            return response

        return answer

    async def _refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        self._responses.labels(str(error.status_code)).inc()
        return _fail(
            error.status_code, f"{request.method} {request.url.path[:100]}: {error.detail}"
        )

    async def _label(
        self, model: Model, version: Version, texts: list[str]
    ) -> list[dict[str, Any]]:
        if len(texts) <= FEW:
            # Changing threads would take longer.
            rows = version.predict(texts)
        else:
            loop = asyncio.get_running_loop()
            rows = []
            for start in range(0, len(texts), CHUNK):
                # In turns, so that a long request does not hold a thread.
                chunk = texts[start : start + CHUNK]
                rows += await loop.run_in_executor(self._threads, version.predict, chunk)
        names = (model.name, str(version.number))
        self._texts.labels(*names).inc(len(rows))
        self._review.labels(*names).inc(sum(row["review"] for row in rows))
        for row in rows:
            self._labels.labels(*names, row["label"]).inc()
        return rows

    async def _predict(self, request: Request, model: Model, version: Version) -> Response:
        body = parse_json(await read_body(request, self._limits))
        texts, by_row = rest.read_predict(body, self._limits)
        return _Json(rest.write_predict(await self._label(model, version, texts), by_row))

    async def _classify(self, request: Request, model: Model, version: Version) -> Response:
        body = parse_json(await read_body(request, self._limits))
        texts = rest.read_classify(body, self._limits)
        return _Json(rest.write_classify(await self._label(model, version, texts), version))

    async def _metadata(self, request: Request, model: Model, version: Version) -> Response:
        return _Json(rest.describe_metadata(model, version))

    async def _status(self, request: Request, model: Model, version: Version) -> Response:
        return _Json(rest.describe_status(model))

    async def _infer(self, request: Request, model: Model, version: Version) -> Response:
        body = await read_body(request, self._limits)
        header = request.headers.get(v2.HEADER_LENGTH)
        texts, request_id = v2.read_infer(body, header, self._limits)
        rows = await self._label(model, version, texts)
        return _Json(v2.write_infer(rows, model, version, request_id))

    async def _ready(self, request: Request, model: Model, version: Version) -> Response:
        return _Json({"name": model.name, "ready": True})

    async def _describe(self, request: Request, model: Model, version: Version) -> Response:
        return _Json(v2.describe_model(model, version))

    async def _server(self, request: Request) -> Response:
        extensions = ["binary_tensor_data"]
        return _Json({"name": "kerasclf", "version": __version__, "extensions": extensions})

    async def _alive(self, request: Request) -> Response:
        return _Json({"live": True, "ready": True})

    async def _metrics(self, request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _page(self, request: Request) -> Response:
        page = files("kerasclf.server").joinpath("templates", "page.html").read_text("utf-8")
        names = json.dumps([model.name for model in self._models]).replace("<", "\\u003c")
        return HTMLResponse(page.replace("MODELS", names), headers=_PAGE_HEADERS)


_PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'"
    )
}


class _Json(JSONResponse):
    """JSON without escapes of letters; a lone surrogate of a request becomes "?"."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _fail(status: int, message: str) -> Response:
    return _Json({"error": message}, status)
