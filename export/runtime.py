"""Runs a classifying .tflite with numpy and ai-edge-litert alone, as a device does."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

METADATA = "metadata.json"


def encode(text: str, max_bytes: int) -> np.ndarray:
    """UTF-8 bytes of a text, int32 [1, max_bytes], cut and padded with 0."""
    raw = text.encode("utf-8", "replace")[:max_bytes]
    padded = np.zeros((1, max_bytes), dtype=np.int32)
    padded[0, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
    return padded


def read_metadata(content: bytes) -> dict[str, Any]:
    """Labels, decision and the rest that a classifying .tflite carries.

    Raises:
        ValueError: there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read(METADATA))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError("it carries no metadata.json") from error


class EdgeClassifier:
    """A .tflite of kerasclf: texts to labels, one at a time.

    Example:

        >>> classifier = EdgeClassifier(Path("model.tflite"))
        >>> classifier.classify("selamat pagi")["label"]
        'indonesian'
    """

    def __init__(self, path: Path, threads: int = 1):
        """Loads a file.

        Raises:
            ValueError: it is no .tflite of kerasclf, or is cut off.
        """
        from ai_edge_litert.interpreter import Interpreter

        content = path.read_bytes()
        self.metadata = read_metadata(content)
        self.labels = self.metadata["labels"]
        self._max_bytes = self.metadata["max_bytes"]
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._run = self._interpreter.get_signature_runner()

    def run(self, text: str) -> dict[str, np.ndarray]:
        """The file's outputs: probabilities [1, classes], label [1], review [1]."""
        return self._run(bytes=encode(text, self._max_bytes))

    def classify(self, text: str) -> dict[str, Any]:
        """Label, review flag and probabilities by label."""
        found = self.run(text)
        probabilities = found["probabilities"][0].tolist()
        return {
            "label": self.labels[int(found["label"][0])],
            "review": bool(found["review"][0]),
            "probabilities": dict(zip(self.labels, probabilities, strict=True)),
        }
