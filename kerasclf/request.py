"""`kerasclf request`: predict labels of texts with a served model."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import tyro

from kerasclf import client, command
from kerasclf.console import printable
from kerasclf.errors import UserError


@dataclass
class RequestOptions(command.Options):
    """Predict the labels of texts with a served model."""

    url: Annotated[str, tyro.conf.Positional] = ""
    """http://HOST:8501/v1/models/NAME, with /v2/ for the Open Inference Protocol, or
    grpc://HOST:8500/v1/models/NAME, optionally followed by /versions/N or /labels/LABEL."""
    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Texts to classify."""
    timeout: float = 10.0
    """Timeout of a request in seconds."""


def request(options: RequestOptions) -> dict[str, Any]:
    """Predicts the labels of the texts."""
    if not options.texts:
        raise UserError("no texts given; expected URL TEXT...")
    with client.connect(options.url, timeout=options.timeout) as model:
        predictions = model.predict(options.texts)
    return {
        "predictions": [
            {"text": text, **asdict(prediction), "confidence": prediction.confidence}
            for text, prediction in zip(options.texts, predictions, strict=True)
        ]
    }


def show(result: dict[str, Any]) -> None:
    """Prints the predictions."""
    for entry in result["predictions"]:
        flag = "  review" if entry["review"] else ""
        print(
            f"{printable(entry['label'])}  {entry['confidence']:.3f}{flag}  {entry['text']!r:.120}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(RequestOptions), request, show, argv, "kerasclf request")


if __name__ == "__main__":
    sys.exit(main())
