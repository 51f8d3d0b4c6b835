"""The pages of a run: report.html, model_card.md, and that of attacks."""

import html
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.evaluation.bootstrap import RESAMPLES
from kerasclf.files import write_text
from kerasclf.report import plots
from kerasclf.report.wording import describe_baseline, describe_target, in_interval


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerasclf.report"),
        autoescape=jinja2.select_autoescape(["html", "html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "in_interval": in_interval,
        "describe_baseline": describe_baseline,
        "describe_target": describe_target,
        # A label may hold what ends a table's cell.
        "cell": lambda text: html.escape(" ".join(str(text).split())).replace("|", "&#124;"),
        "words": lambda name: str(name).replace("_", " "),
    }
    return environment


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
        history: a dict an epoch.
        findings: the doctor's.
        config: the run's configuration.
    """
    test = predictions[predictions["split"] == "test"]
    probabilities = test[[f"p_{label}" for label in metrics["labels"]]]
    probabilities = probabilities.set_axis(metrics["labels"], axis="columns")
    top = probabilities.to_numpy().argmax(axis=1)
    hits = np.array(metrics["labels"], dtype=object)[top] == test["label"].to_numpy(dtype=object)
    text = (
        _templates()
        .get_template("report.html.j2")
        .render(
            metrics=metrics,
            findings=findings,
            config=_settings(config),
            resamples=RESAMPLES,
            plots={
                "classes": plots.plot_classes(findings["class_counts"]),
                "history": plots.plot_history(history),
                "confusion": plots.plot_confusion(metrics["test"]["confusion"], metrics["labels"]),
                "reliability": plots.plot_reliability(probabilities.to_numpy().max(axis=1), hits),
                "precision_recall": plots.plot_precision_recall(probabilities, test["label"]),
            },
        )
    )
    write_text(path, text)


def write_model_card(
    path: Path, metrics: dict[str, Any], findings: dict[str, Any], config: TrainConfig
) -> None:
    """Writes the model card (Mitchell et al., Model Cards for Model Reporting, 2019)."""
    template = _templates().get_template("model_card.md.j2")
    write_text(path, template.render(metrics=metrics, findings=findings, config=_settings(config)))


def write_attacks(path: Path, result: dict[str, Any]) -> None:
    """Writes the outcome of attacks: the plot alone as .svg, or one page as .html.

    Args:
        path: where to; its suffix decides.
        result: of `kerasclf attack`.
    """
    text = plots.plot_attacks(result)
    if path.suffix.lower() == ".html":
        template = _templates().get_template("attacks.html.j2")
        text = template.render(result=result, resamples=RESAMPLES, plot=text)
    write_text(path, text)


def _settings(config: TrainConfig) -> dict[str, Any]:
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: value for name, value in values.items() if value not in (None, ())}
