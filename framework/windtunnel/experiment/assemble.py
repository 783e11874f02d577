"""Several sources become one tree: a file, the file that it extends, and overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

from windtunnel.errors import ConfigError, Mistake, nearest
from windtunnel.experiment.document import MAX_BYTES, parse
from windtunnel.experiment.node import MAX_DEPTH, Node, dotted, printable, scalar_problem

__all__ = ["SET", "assemble", "judged", "merge", "override", "spelled_out"]

SET = "--set"
"""The place of a mistake in an override."""

_BY_PATH, _OF_SPAN = ("sweep.space.", "optimize.search."), ("from", "to", "step", "log")
_COMPONENTS = ("data", "strategy", "regime", "scorer", "volatility", "reliability", "optimize")


def assemble(path: FilePath, mistakes: list[Mistake]) -> Node:
    """Read an experiment's file, laid over the one that it extends, if any.

    ``extends`` is relative to the file, and the file extended may not extend another.

    Raises
    ------
    ConfigError
        If a file cannot be read or used at all.
    """
    root = _read(path, mistakes)
    extends = root.child("extends")
    if extends is None:
        return root
    own = Node({key: child for key, child in root.value.items() if key != "extends"}, root.file, root.line)
    if not isinstance(extends.value, str) or not extends.value:
        mistakes.append(Mistake("extends", "must be the name of a file", extends.file, extends.line))
        return own
    parent = _read(path.parent / extends.value, mistakes, named_by=extends)
    further = parent.child("extends")
    if further is not None:
        rule = "a file that is extended must not extend another"
        mistakes.append(Mistake("extends", rule, further.file, further.line))
        parent = Node({key: child for key, child in parent.value.items() if key != "extends"}, parent.file)
    return merge(parent, own)


def merge(parent: Node, child: Node) -> Node:
    """Lay a child over its parent.

    Mappings merge deeply, everything else replaces; where ``use`` differs, the parent's ``params`` go, for
    they would mean nothing to another plugin. What stands beside them belongs to the framework, and stays.
    """
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    parent = _without_params(parent) if _another(parent, child) else parent
    merged = {**parent.value, **child.value}
    for key in parent.value.keys() & child.value.keys():
        merged[key] = merge(parent.value[key], child.value[key])
    return Node(merged, child.file, child.line)


def override(root: Node, assignments: Sequence[str], mistakes: list[Mistake]) -> Node:
    """Apply ``key=value`` texts: the key is a dotted path, the value YAML.

    A list item is named by its position from 0: ``patterns.0.params.x``. Where ``use`` changes, the old
    plugin's ``params`` go; assignments to ``use`` come first, whatever the order given.
    """
    split = [text.partition("=") for text in assignments]
    for key, equals, text in sorted(split, key=lambda parts: not parts[0].strip().endswith(".use")):
        key = key.strip()
        parts = _parts(key)
        if not equals or not all(parts) or len(parts) > MAX_DEPTH or scalar_problem(key):
            rule = "must be written key=value, such as strategy.params.fast=20"
            mistakes.append(Mistake(printable(key), rule, SET))
            continue
        root = _assigned(root, parts, _value(key, text.strip(), mistakes), mistakes)
    return root


def _parts(key: str) -> list[str]:
    """Split a dotted key; what a sweep or a search tries is named by a dotted path itself."""
    within = next((start for start in _BY_PATH if key.startswith(start)), None)
    if within is None:
        return key.split(".")
    whole = key.removeprefix(within)
    path, dot, last = whole.rpartition(".")
    tried = [path, last] if dot and last in _OF_SPAN else [whole]
    return [*within.removesuffix(".").split("."), *tried]


def _value(key: str, text: str, mistakes: list[Mistake]) -> Node:
    own: list[Mistake] = []
    try:
        value = _moved(parse(text, None, own))
    except ConfigError as error:
        own, value = list(error.mistakes), Node(None, SET)
    mistakes.extend(
        Mistake(printable(f"{key}.{one.key}" if one.key else key), one.message, SET) for one in own
    )
    return value


def spelled_out(root: Node) -> Node:
    """Write a component given by its name alone, ``strategy: sma_cross``, as ``{use: sma_cross}``."""
    if not isinstance(root.value, dict):
        return root
    full = dict(root.value)
    for key in _COMPONENTS:
        if key in full:
            full[key] = _component(full[key])
    patterns = full.get("patterns")
    if patterns is not None and isinstance(patterns.value, list):
        full["patterns"] = replace(patterns, value=[_component(item) for item in patterns.value])
    return replace(root, value=full)


def judged(root: Node) -> Node:
    """Write what is meant where it is not said: how a search is judged and computed."""
    search, scheme = root.child("optimize"), root.child("validate")
    full = dict(root.value)
    if search is not None and search.value is not None:
        for key in ("validate", "execution"):
            if key not in full or full[key].value is None:
                full[key] = replace(search, value={})
        scheme = full["validate"]
    if scheme is not None and isinstance(scheme.value, dict) and "scheme" not in scheme.value:
        full["validate"] = replace(scheme, value={"scheme": replace(scheme, value="holdout"), **scheme.value})
    return replace(root, value=full)


def _component(node: Node) -> Node:
    return replace(node, value={"use": node}) if isinstance(node.value, str) else node


def _another(parent: Node, child: Node) -> bool:
    before, after = parent.child("use"), child.child("use")
    return before is not None and after is not None and before.value != after.value


def _without_params(component: Node) -> Node:
    """Return a component without what belongs to its plugin."""
    return replace(component, value={key: node for key, node in component.value.items() if key != "params"})


def _read(path: FilePath, mistakes: list[Mistake], named_by: Node | None = None) -> Node:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        content, reason = b"", _unreadable(path, error)
    else:
        reason = ""
    if reason and named_by is not None:
        mistake = Mistake("extends", f"{printable(named_by.value)}: {reason}", named_by.file, named_by.line)
        raise ConfigError([*mistakes, mistake])
    if reason:
        raise ConfigError([*mistakes, Mistake("", reason, str(path))])
    root = parse(content, str(path), mistakes)
    if not isinstance(root.value, dict):
        rule = "must be a mapping of keys, such as data and strategy"
        raise ConfigError([*mistakes, Mistake("", rule, str(path), root.line)])
    return spelled_out(root)


def _unreadable(path: FilePath, error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    files = [*path.parent.glob("*.yaml"), *path.parent.glob("*.yml")] if path.parent.is_dir() else []
    meant = nearest(path.name, [file.name for file in files])
    return f"no such file{f'. Did you mean {meant}?' if meant else ''}"


def _moved(node: Node) -> Node:
    """Return a tree that was written on the command line."""
    if isinstance(node.value, dict):
        return Node({key: _moved(child) for key, child in node.value.items()}, SET)
    if isinstance(node.value, list):
        return Node([_moved(child) for child in node.value], SET)
    return Node(node.value, SET)


def _assigned(
    node: Node, parts: Sequence[str], value: Node, mistakes: list[Mistake], done: tuple[str, ...] = ()
) -> Node:
    if not parts:
        return value
    head, rest = parts[0], parts[1:]
    here = (*done, head)
    if isinstance(node.value, list):
        position = int(head) if head.isdecimal() and len(head) < 9 else -1
        if not 0 <= position < len(node.value):
            known = f"0 … {len(node.value) - 1}" if node.value else "none"
            mistakes.append(Mistake(dotted(here), f"no such item. Known: {known}", SET))
            return node
        items = list(node.value)
        items[position] = _assigned(items[position], rest, value, mistakes, here)
        return replace(node, value=items)
    if node.value is not None and not isinstance(node.value, dict):
        mistakes.append(Mistake(dotted(here), f"{dotted(done)} is neither a mapping nor a list", SET))
        return node
    before = node.value or {}
    child = _assigned(before.get(head, Node(None, SET)), rest, value, mistakes, here)
    if _another(node, Node({head: child})):
        before = _without_params(node).value
    return replace(node, value={**before, head: child})
