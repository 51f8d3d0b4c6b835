import re
import shutil

import jinja2
import matplotlib as mpl
import pytest
import yaml

from kerasclf.files import load_record, save_record
from kerasclf.report.draw import draw
from kerasclf.report.hub import describe_card
from kerasclf.report.plots import plot_classes
from kerasclf.report.rendering import make_environment, render
from kerasclf.report.style import INK, STYLE
from kerasclf.report.wording import describe_duration, to_words
from kerasclf.run.layout import RunLayout
from kerasclf.statistics.metrics import (
    CONFUSION_METRICS,
    EXPLANATIONS,
    ORDERED_METRICS,
    PROBABILITY_METRICS,
)


def test_plots_are_reproducible_and_leave_the_global_style_alone():
    before = {name: mpl.rcParams[name] for name in STYLE}
    svg = plot_classes({"a $b$ < c": 3, "d": 40})
    assert svg.startswith("<svg")
    assert "a $b$ &lt; c" in svg
    assert svg == plot_classes({"a $b$ < c": 3, "d": 40})
    assert {name: mpl.rcParams[name] for name in STYLE} == before != STYLE


def test_templates_escape_html_alone_and_want_every_value():
    environment = make_environment("kerasclf.report")
    assert environment.autoescape("report.html.j2")
    assert not environment.autoescape("model_card.md.j2")
    with pytest.raises(jinja2.UndefinedError, match="'nothing' is undefined"):
        environment.from_string("{{ nothing }}").render()


def test_a_label_does_not_end_a_cell_of_markdown():
    result = {
        **{"name": "a|b\nc", "runs": [], "seconds": 90, "peak_memory_bytes": None},
        **{"now": None, "next": ["<x>"]},
    }
    page = render("progress.md.j2", result=result)
    assert page.startswith("# a&#124;b c: 0 runs\n")
    assert "- &lt;x&gt;\n" in page
    assert "Time used: 90 s." in page


def test_the_name_of_a_run_is_escaped(run, tmp_path):
    copy = RunLayout(shutil.copytree(run, tmp_path / "1"))
    name = '<img src=x>|"a"'
    save_record(copy.metrics, load_record(copy.metrics) | {"name": name})
    draw(copy)
    card = copy.model_card.read_text().split("---\n", 2)[2]
    assert "# &lt;img src=x&gt;&#124;&quot;a&quot;, run 1" in card
    for page in (card, copy.report.read_text()):
        assert "<img src=x>" not in page


def test_wording_by_hand():
    assert [to_words(name) for name in ("macro_f1", "log_loss")] == ["macro-F1", "log loss"]
    assert [describe_duration(s) for s in (119, 120, 7200)] == ["119 s", "2 min", "2.0 h"]


def test_axes_have_plain_numbers():
    for counts in ({"a": 3, "b": 2400}, {f"class {i}": 10 + i * i for i in range(60)}):
        svg = plot_classes(counts)
        assert "mathdefault" not in svg
        assert "1,000" in svg


def test_the_card_has_the_header_of_the_hub_and_no_path_of_this_machine(run, table):
    card = RunLayout(run).model_card.read_text()
    metrics = load_record(RunLayout(run).metrics)
    _, header, rest = card.split("---\n", 2)
    found = yaml.safe_load(header)
    assert found["pipeline_tag"] == "text-classification"
    assert found["license"] == "unknown"
    (result,) = found["model-index"][0]["results"]
    measures = metrics["test"]["measures"]
    assert {entry["type"]: entry["value"] for entry in result["metrics"]} == {
        "accuracy": round(measures["accuracy"]["value"], 4),
        "f1": round(measures["macro_f1"]["value"], 4),
    }
    assert rest.lstrip().startswith("# greetings, run 1")
    assert str(table.parent) not in card
    assert str(run.parents[2]) not in card
    assert table.name in card


def test_licence_and_languages_of_a_data_set_are_in_the_header(run):
    metrics, findings = load_record(RunLayout(run).metrics), load_record(RunLayout(run).doctor)
    source = {"data set": "x", "licence": "CC BY-SA 4.0", "languages": "id, jv"}
    header = yaml.safe_load(describe_card(metrics, findings | {"source": source}).strip("-\n"))
    assert header["license"] == "cc-by-sa-4.0"
    assert header["language"] == ["id", "jv"]
    assert header["model-index"][0]["results"][0]["dataset"]["name"] == "x"


def test_plots_take_the_colors_of_the_page():
    svg = plot_classes({"a": 3, "b": 40})
    assert "currentColor" in svg
    assert INK not in svg
    assert "#ffffff" not in svg


def test_every_metric_has_its_line():
    metrics = {*CONFUSION_METRICS, *ORDERED_METRICS, *PROBABILITY_METRICS}
    assert set(EXPLANATIONS) == metrics


def test_report_lists_its_headings_and_marks_the_weakest_class(run):
    page = RunLayout(run).report.read_text(encoding="utf-8")
    contents = re.search(r'<nav aria-label="Contents">(.*?)</nav>', page)[1]
    anchors = re.findall(r'href="#(.*?)"', contents)
    assert anchors == re.findall(r'<h2 id="(.*?)">', page)
    assert "confusion-matrix" in anchors
    per_class = load_record(RunLayout(run).metrics)["test"]["per_class"]
    lowest = min(scores["f1"] for scores in per_class.values() if scores["support"])
    (marked,) = re.findall(r'<tr class="missed"><td>(.*?)</td>', page)
    assert per_class[marked]["f1"] == lowest
