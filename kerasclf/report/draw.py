"""Report and model card of a finished run, drawn from its own files."""

from kerasclf.config import TrainConfig
from kerasclf.console import warn
from kerasclf.files import load_record, load_table
from kerasclf.report.page import write_model_card, write_report
from kerasclf.run.history import read_history
from kerasclf.run.layout import RunLayout


def draw(layout: RunLayout) -> None:
    """Writes report.html and model_card.md of a finished run."""
    metrics, findings = load_record(layout.metrics), load_record(layout.doctor)
    config = TrainConfig.from_yaml(layout.config)
    predictions, history = load_table(layout.predictions), read_history(layout.history)
    write_report(layout.report, metrics, predictions, history, findings, config)
    write_model_card(layout.model_card, metrics, findings, config)


def try_to_draw(layout: RunLayout) -> None:
    """As `draw`; what goes wrong is a warning, since the run itself is complete."""
    try:
        draw(layout)
    except Exception as error:
        warn(
            f"the report was not drawn ({type(error).__name__}: {str(error)[:200]}); the run is "
            f"complete: draw it again by kerasclf report {layout.root}"
        )
