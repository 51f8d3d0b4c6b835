"""Pages from templates: what all of them share."""

import html
from functools import cache
from typing import Any

import jinja2

from kerasclf.report.wording import (
    describe_baseline,
    describe_best,
    describe_duration,
    describe_ensemble,
    describe_target,
    in_interval,
)


def render(name: str, **values: Any) -> str:
    """The template `name` with the values filled in; HTML is escaped, Markdown is not."""
    return _templates().get_template(name).render(**values)


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
        "describe_best": describe_best,
        "describe_ensemble": describe_ensemble,
        "describe_target": describe_target,
        # A label may hold what ends a table's cell.
        "cell": lambda text: html.escape(" ".join(str(text).split())).replace("|", "&#124;"),
        "sentence": lambda text: text[:1].upper() + text[1:] + ".",
        "duration": describe_duration,
        "words": lambda name: str(name).replace("_", " "),
    }
    return environment
