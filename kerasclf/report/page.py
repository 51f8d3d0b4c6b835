"""The pages of a run: report.html, model_card.md, and that of attacks."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.evaluation.bootstrap import RESAMPLES
from kerasclf.files import write_text
from kerasclf.report import plots
from kerasclf.report.rendering import render


def write_report(
    path: Path,
    metrics: dict[str, Any],
    predictions: pd.DataFrame,
    history: list[dict[str, Any]],
    findings: dict[str, Any],
    config: TrainConfig,
) -> None:
    """Writes the report: one HTML file that needs no other.

    Args:
        path: where to.
        metrics: content of metrics.json.
        predictions: frame of validation and test rows with their probabilities.
        history: a dict an epoch; empty for an ensemble.
        findings: the doctor's.
        config: the run's configuration.
    """
    test = predictions[predictions["split"] == "test"]
    probabilities = test[[f"p_{label}" for label in metrics["labels"]]]
    probabilities = probabilities.set_axis(metrics["labels"], axis="columns")
    top = probabilities.to_numpy().argmax(axis=1)
    hits = np.array(metrics["labels"], dtype=object)[top] == test["label"].to_numpy(dtype=object)
    text = render(
        "report.html.j2",
        metrics=metrics,
        findings=findings,
        config=_settings(config),
        resamples=RESAMPLES,
        plots={
            "classes": plots.plot_classes(findings["class_counts"]),
            **({"history": plots.plot_history(history)} if history else {}),
            "confusion": plots.plot_confusion(metrics["test"]["confusion"], metrics["labels"]),
            "reliability": plots.plot_reliability(probabilities.to_numpy().max(axis=1), hits),
            "precision_recall": plots.plot_precision_recall(probabilities, test["label"]),
        },
    )
    write_text(path, text)


def write_model_card(
    path: Path, metrics: dict[str, Any], findings: dict[str, Any], config: TrainConfig
) -> None:
    """Writes the model card (Mitchell et al., Model Cards for Model Reporting, 2019)."""
    settings = _settings(config)
    card = render("model_card.md.j2", metrics=metrics, findings=findings, config=settings)
    write_text(path, card)


def write_attacks(path: Path, result: dict[str, Any]) -> None:
    """Writes the outcome of attacks: the plot alone as .svg, or one page as .html.

    Args:
        path: where to; its suffix decides.
        result: of `kerasclf attack`.
    """
    text = plots.plot_attacks(result)
    if path.suffix.lower() == ".html":
        text = render("attacks.html.j2", result=result, resamples=RESAMPLES, plot=text)
    write_text(path, text)


def _settings(config: TrainConfig) -> dict[str, Any]:
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: value for name, value in values.items() if value not in (None, ())}
