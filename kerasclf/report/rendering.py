"""Pages from templates: the environment that all of them share."""

import html
import re
from functools import cache
from typing import Any

import jinja2

from kerasclf.explanation.errors import mark_words
from kerasclf.report.wording import (
    describe_baseline,
    describe_best,
    describe_difference,
    describe_duration,
    describe_ensemble,
    describe_novelty,
    describe_parts,
    describe_pile,
    describe_provenance,
    describe_slices,
    describe_sources,
    describe_target,
    describe_worth,
    in_interval,
    short_interval,
    to_words,
)


def make_environment(package: str) -> jinja2.Environment:
    """The templates of a package, in its folder `templates`, which may extend those of reports.

    Values are escaped in templates named `.html` or `.html.j2`, and in no others; a value that the
    template expects and that is missing is an error.

    Args:
        package: import path, such as "kerasclf.report".
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(name) for name in dict.fromkeys((package, "kerasclf.report"))]
        ),
        autoescape=jinja2.select_autoescape(["html", "html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **values: Any) -> str:
    """The report template `name` with the values filled in."""
    return add_contents(_report_templates().get_template(name).render(**values))


def add_contents(page: str) -> str:
    """A page whose empty <nav>, if it has one, lists its headings of the second level.

    >>> add_contents("<nav></nav><h2>By length</h2>")
    '<nav><a href="#by-length">By length</a></nav><h2 id="by-length">By length</h2>'
    """
    if "></nav>" not in page:
        return page
    links = []

    def name(heading: re.Match[str]) -> str:
        anchor = re.sub(r"\W+", "-", heading[1].lower())
        links.append(f'<a href="#{anchor}">{heading[1]}</a>')
        return f'<h2 id="{anchor}">{heading[1]}</h2>'

    page = re.sub("<h2>(.*?)</h2>", name, page)
    return page.replace("></nav>", f">{''.join(links)}</nav>", 1)


@cache
def _report_templates() -> jinja2.Environment:
    environment = make_environment("kerasclf.report")
    environment.filters |= {
        "in_interval": in_interval,
        "mark_words": mark_words,
        "describe_baseline": describe_baseline,
        "describe_parts": describe_parts,
        "describe_best": describe_best,
        "describe_difference": describe_difference,
        "describe_ensemble": describe_ensemble,
        "describe_novelty": describe_novelty,
        "describe_pile": describe_pile,
        "describe_provenance": describe_provenance,
        "describe_slices": describe_slices,
        "describe_sources": describe_sources,
        "describe_target": describe_target,
        "describe_worth": describe_worth,
        "short_interval": short_interval,
        # A label may contain what ends a table cell in Markdown.
        "cell": lambda text: html.escape(" ".join(str(text).split())).replace("|", "&#124;"),
        "sentence": lambda text: text[:1].upper() + text[1:] + ".",
        "duration": describe_duration,
        "words": to_words,
    }
    return environment
