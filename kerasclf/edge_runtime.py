"""Runs a .tflite of kerasclf with numpy and ai-edge-litert alone, as a device does.

This file imports nothing of kerasclf: `kerasclf edge` ships it to devices as classify.py.

    python classify.py "a text" "another"
    python classify.py --self-test
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

METADATA = "metadata.json"


def encode(text: str, max_bytes: int) -> np.ndarray:
    """UTF-8 bytes of a text, int32 [1, max_bytes], truncated and padded with 0."""
    raw = text.encode("utf-8", "replace")[:max_bytes]
    padded = np.zeros((1, max_bytes), dtype=np.int32)
    padded[0, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
    return padded


def read_metadata(content: bytes) -> dict[str, Any]:
    """Reads the metadata (labels, decision and more) from the content of a .tflite of kerasclf.

    Raises:
        ValueError: there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read(METADATA))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError("it has no metadata.json") from error


class EdgeClassifier:
    """A .tflite of kerasclf: texts to labels, one at a time.

    A file that takes token ids needs a tokenizer, which is passed as `read`.

    Example:

        >>> classifier = EdgeClassifier(Path("model.tflite"))  # doctest: +SKIP
        >>> classifier.classify("selamat pagi")["label"]  # doctest: +SKIP
        'indonesian'
    """

    def __init__(
        self,
        file: Path | bytes,
        threads: int = 1,
        read: Callable[[str], dict[str, np.ndarray]] | None = None,
    ):
        """Loads a file.

        Args:
            file: path of the file, or its content.
            threads: threads of the interpreter.
            read: turns a text into the file's inputs by name; used only if the file takes token
                ids.

        Raises:
            ValueError: the file is not a .tflite of kerasclf, or is damaged.
        """
        from ai_edge_litert.interpreter import Interpreter

        content = file if isinstance(file, bytes) else file.read_bytes()
        self.metadata = read_metadata(content)
        self.labels = self.metadata["labels"]
        self.takes_tokens = "max_tokens" in self.metadata
        self._tokenize = read
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._run = self._interpreter.get_signature_runner()

    def run(self, text: str) -> dict[str, np.ndarray]:
        """The file's outputs: probabilities [1, num_classes], label [1], review [1]."""
        return self._run(**self._read(text))

    def run_ones(self) -> dict[str, np.ndarray]:
        """The outputs for inputs of ones; shapes are static, so any input takes the same time."""
        details = self._run.get_input_details().items()
        return self._run(**{name: np.ones(d["shape"], d["dtype"]) for name, d in details})

    def _read(self, text: str) -> dict[str, np.ndarray]:
        if not self.takes_tokens:
            return {"bytes": encode(text, self.metadata["max_bytes"])}
        if self._tokenize is None:
            raise ValueError("it takes token ids, and there is no tokenizer here")
        return self._tokenize(text)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities, float32 [n, num_classes], of n texts."""
        return np.concatenate([self.run(text)["probabilities"] for text in texts])

    def classify(self, text: str) -> dict[str, Any]:
        """Label, review flag and probabilities by label."""
        outputs = self.run(text)
        probabilities = outputs["probabilities"][0].tolist()
        return {
            "label": self.labels[int(outputs["label"][0])],
            "review": bool(outputs["review"][0]),
            "probabilities": dict(zip(self.labels, probabilities, strict=True)),
        }


def self_test(model: Path, golden: Path) -> list[str]:
    """Compares this device with the golden predictions.

    Args:
        model: the .tflite.
        golden: JSON list of {"text", "label", "review", "probabilities"}.

    Returns:
        One line per text whose label, flag or probabilities (by more than 0.01) differ.
    """
    classifier = EdgeClassifier(model)
    failures = []
    for expected in json.loads(golden.read_text(encoding="utf-8")):
        result = classifier.classify(expected["text"])
        differences = [
            abs(result["probabilities"][label] - p)
            for label, p in expected["probabilities"].items()
        ]
        same = all(result[key] == expected[key] for key in ("label", "review"))
        if not same or not max(differences) <= 0.01:
            failures.append(f"{expected['text'][:40]!r}: {result['label']}, {max(differences):.3g}")
    return failures


def main(arguments: list[str]) -> int:
    """Classifies texts with the model.tflite beside this file, or runs the self-test."""
    here = Path(__file__).resolve().parent
    if not arguments:
        print("give texts, or --self-test", file=sys.stderr)
        return 2
    if arguments == ["--self-test"]:
        failures = self_test(here / "model.tflite", here / "golden.json")
        print("\n".join(failures) or "self-test passed")
        return 1 if failures else 0
    classifier = EdgeClassifier(here / "model.tflite")
    for text in arguments:
        result = classifier.classify(text)
        probability = result["probabilities"][result["label"]]
        flag = "  review" if result["review"] else ""
        print(f"{result['label']}  {probability:.3f}{flag}  {text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
