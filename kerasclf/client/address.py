"""URLs of served models."""

import re
from dataclasses import dataclass
from typing import Self

from kerasclf.errors import UserError

FORM = "http://HOST:8501/v1/models/NAME or grpc://HOST:8500/v1/models/NAME"
URL = re.compile(
    r"(?P<scheme>https?|grpc)://(?P<host>[^/\s?#@]+:[0-9]+|[^/\s?#@:]+)"
    r"/(?P<protocol>v1|v2)/models/(?P<model>[A-Za-z0-9._-]+)"
    r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[A-Za-z0-9._-]+))?/?"
)


@dataclass(frozen=True)
class Address:
    """The address of a model on a server, and optionally of one of its versions.

    Attributes:
        url: as given by the user.
        scheme: http, https or grpc.
        host: host name with or without a port.
        protocol: v1, TF Serving's, or v2, the Open Inference Protocol.
        model: name of the model.
        version: version number, or None.
        label: version label such as stable, or None.
    """

    url: str
    scheme: str
    host: str
    protocol: str
    model: str
    version: int | None = None
    label: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parses a URL in the form of TF Serving's REST API, or with /v2/ instead of /v1/.

        >>> Address.parse("grpc://localhost:8500/v1/models/greetings/versions/2").version
        2

        Raises:
            UserError: it has another form.
        """
        match = URL.fullmatch(url)
        is_v2 = match is not None and match["protocol"] == "v2"
        if match is None or (is_v2 and (match["scheme"] == "grpc" or match["label"])):
            raise UserError(
                f"found the URL {url!r}, expected {FORM}, optionally followed by /versions/N or "
                "/labels/LABEL"
            )
        parts = match.groupdict()
        version = parts.pop("version")
        return cls(url=url, version=None if version is None else int(version), **parts)
