import jinja2
import matplotlib as mpl
import pytest

from kerasclf.report.plots import plot_classes
from kerasclf.report.rendering import make_environment, render
from kerasclf.report.style import STYLE
from kerasclf.report.wording import describe_duration, to_words


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


def test_wording_by_hand():
    assert [to_words(name) for name in ("macro_f1", "log_loss")] == ["macro-F1", "log loss"]
    assert [describe_duration(s) for s in (119, 120, 7200)] == ["119 s", "2 min", "2.0 h"]


def test_axes_have_plain_numbers():
    for counts in ({"a": 3, "b": 2400}, {f"class {i}": 10 + i * i for i in range(60)}):
        svg = plot_classes(counts)
        assert "mathdefault" not in svg
        assert "1,000" in svg
