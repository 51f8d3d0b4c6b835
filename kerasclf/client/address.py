"""Where a served model is."""

import re
from dataclasses import dataclass
from typing import Self

from kerasclf.errors import UserError

FORM = "http://HOST:8501/v1/models/NAME or grpc://HOST:8500/v1/models/NAME"
URL = re.compile(
    r"(?P<scheme>https?|grpc)://(?P<host>[^/\s?#@]+:[0-9]+|[^/\s?#@:]+)"
    r"/v1/models/(?P<model>[A-Za-z0-9._-]+)"
    r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[A-Za-z0-9._-]+))?/?"
)


@dataclass(frozen=True)
class Address:
    """A model at a server, and which of its versions.

    Attributes:
        url: as the user gave it.
        scheme: http, https or grpc.
        host: name with or without port.
        model: the model's name.
        version: number, or None.
        label: such as stable, or None.
    """

    url: str
    scheme: str
    host: str
    model: str
    version: int | None = None
    label: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads a URL in the form of TF Serving's REST API.

        Raises:
            UserError: it has another form.
        """
        match = URL.fullmatch(url)
        if match is None:
            raise UserError(
                f"found the URL {url!r}, expected {FORM}, and after it nothing, /versions/N or "
                "/labels/LABEL"
            )
        parts = match.groupdict()
        version = parts.pop("version")
        return cls(url=url, version=None if version is None else int(version), **parts)
