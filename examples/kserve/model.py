"""A finished run behind KServe, without TensorFlow.

python examples/kserve/model.py --model_name=chat-language --model_dir=runs/chat-language
"""

import argparse
import asyncio
from typing import Any

import kserve
from kserve.errors import InvalidInput

import kerasclf
from kerasclf.errors import UserError


class KerasclfModel(kserve.Model):
    """Answers `/v1/models/NAME:predict` as `kerasclf serve` does."""

    def __init__(self, name: str, run: str):
        """Creates the model; `load` loads it.

        Args:
            name: of the model in URLs.
            run: `runs/NAME/N`, or `runs/NAME` for the newest run of that name.
        """
        super().__init__(name)
        self._run = run

    def load(self) -> bool:
        """Loads the run.

        Raises:
            UserError: it is not finished, or damaged.
        """
        self._classifier = kerasclf.load(self._run)
        # A damaged file is found now, and no request waits for LiteRT.
        self._classifier.run_on(["selamat pagi"])
        # KServe has a folder /mnt/models, which may be the run itself.
        number = self._classifier.run.name
        self._version = int(number) if number.isdecimal() else 0
        self.ready = True
        return self.ready

    async def predict(
        self, payload: Any, headers: dict[str, str] | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """Labels the texts in `{"instances": [TEXT, ...]}`.

        Raises:
            InvalidInput: there are no texts.
        """
        if not isinstance(payload, dict) or "instances" not in payload:
            raise InvalidInput('expected {"instances": ["a text", ...]}')
        try:
            # In a thread: health checks are answered meanwhile.
            decided, review, probabilities = await asyncio.to_thread(
                self._classifier.run_on, payload["instances"]
            )
        except TypeError as error:
            raise InvalidInput(str(error)) from error
        return {
            "predictions": [
                {
                    "label": self._classifier.labels[class_id],
                    "class_id": class_id,
                    "probabilities": row,
                    "review": flag,
                    "version": self._version,
                }
                for class_id, flag, row in zip(
                    decided.tolist(), review.tolist(), probabilities.tolist(), strict=True
                )
            ]
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    parser.add_argument("--model_dir", default="/mnt/models", help="A run, or a folder of runs.")
    arguments = parser.parse_args()
    model = KerasclfModel(arguments.model_name, arguments.model_dir)
    try:
        model.load()
    except UserError as error:
        raise SystemExit(str(error)) from None
    kserve.ModelServer().start([model])
