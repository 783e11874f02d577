"""``windtunnel plugins``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windtunnel.cli.options import JsonOption

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal
    from windtunnel.plugin import Host, Plugin

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List the plugins that are installed, or show one.")


@app.command("list")
def list_(
    as_json: JsonOption = False,
) -> None:
    """List every plugin that is installed, and every package that could not be loaded."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.plugin import build_host

    terminal, host = Terminal(), build_host()
    rows = list(_rows(host))
    broken = [{"package": item.package, "reason": item.reason} for item in host.broken]
    if as_json:
        terminal.json({"plugins": rows, "broken": broken})
        return
    room = max((len(row["name"]) for row in rows), default=0) + 4
    for (kind, package), group in groupby(rows, key=itemgetter("kind", "package")):
        terminal.field(kind, package, room=room)
        for row in group:
            terminal.field(f"  {row['name']}", row["does"], room=room, label_style="bold")
    for item in broken:
        terminal.field("broken", item["package"], item["reason"], room=room)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in YAML: use: NAME.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Where kinds share a name: strategy, regime, scorer, …")
    ] = None,
) -> None:
    """Show what a plugin does, its parameters, its warm-up, and how to write it in YAML."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.plugin import build_host

    terminal, host = Terminal(), build_host()
    plugin = _found(host, name, kind)
    terminal.say(f"{plugin.kind} {plugin.name}", style="bold")
    terminal.say(str(host.provenance(plugin)), style="dim")
    for paragraph in _paragraphs(plugin):
        terminal.say()
        _write_paragraph(terminal, paragraph)
    _write_parameters(terminal, plugin)
    example = _example(plugin)
    if example is None:
        return
    if example.warmup:
        terminal.say()
        terminal.field("warm-up", f"{example.warmup:,} bars, with the parameters below")
    terminal.say()
    terminal.field("in YAML", "")
    for line in _snippet(example).splitlines():
        terminal.say(line, indent=4)


def _rows(host: Host) -> Iterator[dict[str, str]]:
    from windtunnel.errors import PluginError
    from windtunnel.plugin import KINDS

    for kind in KINDS:
        for name in host.names(kind):
            row = {"kind": kind, "name": name}
            try:
                plugin = host.plugin(kind, name)
            except PluginError as error:
                yield {**row, "package": "", "does": str(error)}
            else:
                yield {**row, "package": str(host.provenance(plugin)), "does": _first_sentence(plugin)}


def _first_sentence(plugin: type[Plugin]) -> str:
    first = " ".join(_paragraphs(plugin)[0].split())
    return first.split(". ")[0].removesuffix(".")


def _paragraphs(plugin: type[Plugin]) -> list[str]:
    return inspect.cleandoc(plugin.__doc__ or "").replace("``", "").split("\n\n")


def _found(host: Host, name: str, kind: str | None) -> type[Plugin]:
    """Return the plugin that is meant.

    Raises
    ------
    UnknownPluginError
        If there is none.
    InvalidValueError
        If the kind is none, or more than one kind has a plugin of this name.
    """
    from windtunnel.errors import InvalidValueError, UnknownPluginError
    from windtunnel.plugin import KINDS

    if kind is not None:
        if kind not in KINDS:
            raise InvalidValueError("--kind", f"must be one of {', '.join(KINDS)}", kind)
        return host.plugin(kind, name)
    kinds = [candidate for candidate in KINDS if name in host.names(candidate)]
    if len(kinds) > 1:
        raise InvalidValueError("--kind", f"must say which {name} is meant: {', '.join(kinds)}", None)
    if not kinds:
        note = "; ".join(f"{item.package} could not be loaded: {item.reason}" for item in host.broken)
        known = sorted({known for candidate in KINDS for known in host.names(candidate)})
        raise UnknownPluginError("plugin", name, known, note)
    return host.plugin(kinds[0], name)


def _write_paragraph(terminal: Terminal, paragraph: str) -> None:
    """Write running text as a paragraph; headings, lists and formulas as they stand."""
    lines = [line for line in paragraph.splitlines() if line.strip("-")]
    as_it_stands = any(line.startswith((" ", ".. ", "- ")) for line in lines)
    for line in lines if as_it_stands else [" ".join(lines)]:
        terminal.say(line)


def _write_parameters(terminal: Terminal, plugin: type[Plugin]) -> None:
    from windtunnel.experiment import describe_parameter

    terminal.say()
    fields: dict[str, Any] = plugin.model_fields
    if not fields:
        terminal.say("It has no parameters.")
        return
    terminal.say("parameters", style="dim")
    for name in fields:
        terminal.say(describe_parameter(plugin, name).replace("``", ""), indent=4)


def _example(plugin: type[Plugin]) -> Plugin | None:
    """Return an instance; None where the class gives none, which costs the author a failed check, not us."""
    try:
        return plugin.example()
    except Exception:  # noqa: BLE001 - a stranger's code may raise anything
        return None


def _snippet(example: Plugin) -> str:
    from windtunnel.experiment.document import dump

    component: dict[str, Any] = {"use": example.name}
    params = {name: _without_folder(example, name, value) for name, value in example.params().items()}
    if params:
        component["params"] = params
    return dump({example.kind: [component] if example.kind == "patterns" else component})


def _without_folder(example: Plugin, name: str, value: Any) -> Any:
    """Return a parameter's value; of a path only the file's name, for its folder is this machine's."""
    from windtunnel.experiment.parameters import field_named, is_path

    field = field_named(type(example), name)
    names_file = field is not None and isinstance(value, str) and is_path(name, field)
    return PurePath(value).name if names_file else value
