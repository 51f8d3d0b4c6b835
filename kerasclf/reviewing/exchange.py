"""Suspects as tasks for Label Studio and as records for Argilla."""

from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.data.annotations import QUESTION
from kerasclf.files import write_json

MODEL = "kerasclf"


def to_label_studio(suspects: pd.DataFrame) -> list[dict[str, Any]]:
    """Tasks with the suggested label as a prediction (https://labelstud.io/guide/predictions).

    They are for a labelling interface with `<Text name="text" value="$text"/>` and
    `<Choices name="label" toName="text">`.
    """
    return [
        {
            "data": {key: row[key] for key in ("text", "row", "text_hash", "label")},
            "predictions": [
                {
                    "model_version": MODEL,
                    "score": row["p_suggested"],
                    "result": [
                        {
                            "from_name": QUESTION,
                            "to_name": "text",
                            "type": "choices",
                            "value": {"choices": [row["suggested_label"]]},
                        }
                    ],
                }
            ],
        }
        for row in suspects.to_dict("records")
    ]


def to_argilla(suspects: pd.DataFrame) -> list[dict[str, Any]]:
    """Records with the suggested label as a suggestion, as `rg.Record.from_dict` reads them.

    They are for a data set with the field `text`, the question `label` and the metadata `row`,
    `text_hash` and `label`.
    """
    return [
        {
            "id": f"{row['row']}-{row['text_hash']}",
            "fields": {"text": row["text"]},
            "metadata": {key: row[key] for key in ("row", "text_hash", "label")},
            "suggestions": {
                QUESTION: {
                    "value": row["suggested_label"],
                    "score": row["p_suggested"],
                    "agent": MODEL,
                }
            },
            "responses": {},
        }
        for row in suspects.to_dict("records")
    ]


FORMATS = {"label-studio": to_label_studio, "argilla": to_argilla}


def write_tasks(path: Path, suspects: pd.DataFrame, name: str) -> None:
    """Writes the rows whose suggested label is another one for a tool of FORMATS."""
    write_json(path, FORMATS[name](suspects[suspects["label"] != suspects["suggested_label"]]))
