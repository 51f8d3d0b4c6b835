"""Corrections that people made in Label Studio or Argilla: their exported JSON as a table."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.errors import UserError

QUESTION = "label"
"""Name of the choice in Label Studio's interface, and of the question in Argilla."""


def read_annotations(path: Path) -> pd.DataFrame | None:
    """Reads exported annotations.

    Of several annotations of a row, the last one counts; skipped ones do not.

    Args:
        path: JSON file of Label Studio (https://labelstud.io/guide/task_format), or of Argilla's
            `records.to_json`.

    Returns:
        Frame with row, text_hash, old, new, who and when; None if the file holds neither.

    Raises:
        UserError: an annotation is not of rows that `kerasclf suspects` exported.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    if not any("annotations" in entry or "responses" in entry for entry in entries):
        return None
    rows = []
    for number, entry in enumerate(entries, start=1):
        try:
            answers = _of_label_studio(entry) if "annotations" in entry else _of_argilla(entry)
            origin = entry["data" if "annotations" in entry else "metadata"]
            if not answers:
                continue
            new, who, when = answers[-1]
            row = {"row": str(int(origin["row"])), "text_hash": str(origin["text_hash"])}
            rows.append(row | {"old": str(origin["label"]), "new": new, "who": who, "when": when})
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"{path}: entry {number} has no {error}; expected what Label Studio or Argilla "
                "exports of the tasks of kerasclf suspects"
            ) from error
    return pd.DataFrame(rows, columns=["row", "text_hash", "old", "new", "who", "when"])


def _of_label_studio(task: dict[str, Any]) -> list[tuple[str, str, str]]:
    answers = []
    for annotation in task["annotations"]:
        choices = [r["value"]["choices"] for r in annotation["result"] if r["type"] == "choices"]
        if choices and not annotation.get("was_cancelled"):
            who = annotation.get("completed_by", "")
            who = who.get("email", who.get("id", "")) if isinstance(who, dict) else who
            answers.append((str(choices[0][0]), str(who), str(annotation.get("created_at", ""))))
    return answers


def _of_argilla(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    given = (record.get("responses") or {}).get(QUESTION) or []
    return [(str(one["value"]), str(one.get("user_id", "")), "") for one in given]
