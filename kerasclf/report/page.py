"""The pages: of one run, of its attacks, of a comparison, and of all runs of a name."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.evaluation.provenance import advise_source
from kerasclf.files import save_record, write_text
from kerasclf.report.hub import describe_card
from kerasclf.report.many_classes import (
    WEAKEST,
    confused_pairs,
    fold_confusion,
    has_many,
    weakest,
)
from kerasclf.report.rendering import render
from kerasclf.run.history import Epoch
from kerasclf.statistics.bootstrap import RESAMPLES
from kerasclf.statistics.metrics import EXPLANATIONS


def write_report(
    path: Path,
    metrics: dict[str, Any],
    predictions: pd.DataFrame,
    history: list[Epoch],
    findings: dict[str, Any],
    config: TrainConfig,
) -> None:
    """Writes the report of a run, one self-contained HTML file.

    Args:
        path: of the file.
        metrics: content of metrics.json.
        predictions: frame of validation and test rows with their probabilities.
        history: all epochs; empty for an ensemble.
        findings: content of doctor.json.
        config: of the run.
    """
    # Matplotlib takes a second to import, and the pages without plots do not need it.
    from kerasclf.report import plots

    test = predictions[predictions["split"] == "test"]
    probabilities = test[[f"p_{label}" for label in metrics["labels"]]]
    probabilities = probabilities.set_axis(metrics["labels"], axis="columns")
    labels, per_class = metrics["labels"], metrics["test"]["per_class"]
    confusion = np.array(metrics["test"]["confusion"])
    many, novelty = has_many(labels), metrics.get("novelty")
    curves = weakest(per_class, WEAKEST) if many else labels
    top = probabilities.to_numpy().argmax(axis=1)
    hits = np.array(metrics["labels"], dtype=object)[top] == test["label"].to_numpy(dtype=object)
    text = render(
        "report.html.j2",
        metrics=metrics,
        findings=findings,
        config=_settings(config),
        resamples=RESAMPLES,
        explanations=EXPLANATIONS,
        weakest=weakest(per_class, max(1, len(labels) // 5)),
        advice=advise_source(findings.get("sources"), metrics["test"].get("by_source")),
        plots={
            "classes": plots.plot_classes(findings["class_counts"]),
            **({"history": plots.plot_history(history)} if history else {}),
            "confusion": plots.plot_confusion(*fold_confusion(confusion, labels)),
            "reliability": plots.plot_reliability(probabilities.to_numpy().max(axis=1), hits),
            **({"novelty": plots.plot_novelty(novelty["quarters"])} if novelty else {}),
            "precision_recall": plots.plot_precision_recall(probabilities[curves], test["label"]),
        },
        pairs=confused_pairs(confusion, labels) if many else [],
    )
    write_text(path, text)


def write_model_card(
    path: Path, metrics: dict[str, Any], findings: dict[str, Any], config: TrainConfig
) -> None:
    """Writes the model card (Mitchell et al., Model Cards for Model Reporting, 2019)."""
    settings = _settings(config)
    card = render(
        "model_card.md.j2",
        header=describe_card(metrics, findings),
        metrics=metrics,
        findings=findings,
        config=settings,
    )
    write_text(path, card)


def write_attacks(path: Path, result: dict[str, Any]) -> None:
    """Writes the result of attacks: the plot alone as .svg, or one page as .html.

    Args:
        path: of the file; its suffix selects the format.
        result: of `attack_run`.
    """
    from kerasclf.report import plots

    text = plots.plot_attacks(result)
    if path.suffix.lower() == ".html":
        text = render("attacks.html.j2", result=result, resamples=RESAMPLES, plot=text)
    write_text(path, text)


def write_worth(path: Path, result: dict[str, Any]) -> None:
    """Writes the result of `measure_worth`: the plot alone as .svg, or one page as .html."""
    from kerasclf.report import plots

    text = plots.plot_worth(result)
    if path.suffix.lower() == ".html":
        text = render("worth.html.j2", result=result, resamples=RESAMPLES, plot=text)
    write_text(path, text)


def write_comparison(folder: Path, result: dict[str, Any]) -> None:
    """Writes compare.json and compare.html, given the result of `compare_runs`."""
    page = render("compare.html.j2", result=result)
    save_record(folder / "compare.json", result)
    write_text(folder / "compare.html", page)


def write_progress(folder: Path, result: dict[str, Any]) -> list[Path]:
    """Writes progress.html and progress.md, given the result of `summarize_runs`.

    Returns:
        The two files.
    """
    pages = [folder / "progress.html", folder / "progress.md"]
    for page in pages:
        write_text(page, render(f"{page.name}.j2", result=result))
    return pages


def _settings(config: TrainConfig) -> dict[str, Any]:
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: value for name, value in values.items() if value not in (None, ())}
