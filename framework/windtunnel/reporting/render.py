"""The report of a result: one HTML page that loads nothing from the network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from windtunnel.reporting import chart_library
from windtunnel.reporting.charts.chart import Chart
from windtunnel.reporting.files import write_whole
from windtunnel.reporting.parts import Beside, Block, Html, Part, about, parts

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.reporting.section import ReportSection
    from windtunnel.values import Section

__all__ = ["page", "write_report"]


def write_report(
    result: Result, folder: Path, *, section: ReportSection, assets: Path, extra: Sequence[Section] = ()
) -> Path:
    """Write ``report.html`` into a folder, whole or not at all.

    Parameters
    ----------
    result : Result
    folder : Path
        Made if need be.
    section : ReportSection
        ``inline`` puts the chart library into the file.
    assets : Path
        Where reports share one copy of it otherwise; the report refers to it by a relative path, so both
        folders may move together.
    extra : sequence of Section
        What plugins add; their ``html`` is inserted as it is.

    Returns
    -------
    Path
        Of the report.
    """
    library = None if section.inline else chart_library.shared(folder, assets)
    html = page(result, library=library, extra=extra)
    return write_whole(folder / "report.html", html.encode())


def page(result: Result, *, library: str | None = None, extra: Sequence[Section] = ()) -> str:
    """Return the report as HTML; the same result gives the same text.

    Parameters
    ----------
    result : Result
    library : str, optional
        The script element that brings plotly; left out, plotly itself is put into the page (5 MB).
    extra : sequence of Section
        What plugins add; their ``html`` is inserted as it is.
    """
    written = parts(result, extra)
    script = chart_library.inline() if library is None else library
    figures = {chart.id: {"data": chart.data, "layout": chart.layout} for chart in _charts(written)}
    return Template(_static("page.html")).substitute(
        title=escape(f"{result.name} · Windtunnel"),
        name=escape(result.name),
        about=escape(about(result)),
        links=" ".join(f'<a href="#{part.id}">{escape(part.title)}</a>' for part in written if part.title),
        main="\n".join(map(_part, written)),
        charts=_json(figures),
        style=_static("style.css"),
        library=script,
        script=_static("report.js"),
    )


def _static(name: str) -> str:
    return (resources.files("windtunnel.reporting") / "static" / name).read_text(encoding="utf-8")


def _json(value: object) -> str:
    """Return JSON that can stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _charts(written: Sequence[Part]) -> Iterator[Chart]:
    for part in written:
        for block in part.blocks:
            if isinstance(block, Chart):
                yield block
            elif isinstance(block, list):
                yield from block
            elif isinstance(block, Beside):
                yield from block.charts


def _part(part: Part) -> str:
    heading = f"<h2>{escape(part.title)}</h2>" if part.title else ""
    blocks = "\n".join(_block(block) for block in part.blocks if not isinstance(block, str))
    missing = " ".join(block for block in part.blocks if isinstance(block, str))
    left_out = f'<p class="absent">{escape(missing)}</p>' if missing else ""
    return f'<section id="{part.id}">\n{heading}\n{blocks}\n{left_out}</section>'


def _block(block: Block) -> str:
    if isinstance(block, Html):
        return block.text
    if isinstance(block, Chart):
        return _figure(block)
    if isinstance(block, Beside):
        return f'<div class="beside">{"".join(map(_figure, block.charts))}</div>'
    if isinstance(block, str):
        return f'<p class="absent">{escape(block)}</p>'
    if len(block) == 1:
        return _figure(block[0])
    group = f"choice-{block[0].id}"
    options = "".join(f'<option value="{chart.id}">{escape(chart.name)}</option>' for chart in block)
    choice = f'<p class="choice"><label>Symbol <select data-group="{group}">{options}</select></label></p>'
    shown = [_figure(chart, group, hidden=chart is not block[0]) for chart in block]
    return "\n".join([choice, *shown])


def _figure(chart: Chart, group: str = "", *, hidden: bool = False) -> str:
    member = f' data-group="{group}"' if group else ""
    items = "".join(
        f'<li><span style="background:{colour}"></span>{escape(words)}</li>' for colour, words in chart.legend
    )
    legend = f'<ul class="legend">{items}</ul>' if items else ""
    title = escape(chart.title)
    return (
        f'<figure class="chart" id="{chart.id}"{member}{" hidden" if hidden else ""}>'
        f"<figcaption>{title}</figcaption>"
        f'<div class="plot" style="height:{chart.height}px" role="img" aria-label="{title}"></div>'
        f"{legend}</figure>"
    )
