"""How a bundled plugin declares the parameters of a command: once, for usage, help, pages and schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `kind` names what it is in JSON; see KINDS of `tools/make_docs.py`."""

    kind: str
    about: str
    required: bool = False
    dev: bool = False
    """Only with --developer; usage does not show it."""


Parameters = Mapping[str, Parameter]
"""In the order of their places."""


def need(kind: str, about: str = "") -> Parameter:
    """One that every call gives."""
    return Parameter(kind, about, required=True)


def may(kind: str, about: str = "", *, dev: bool = False) -> Parameter:
    """One that may be left out."""
    return Parameter(kind, about, dev=dev)


def usage_of(params: Parameters) -> str:
    """What stands behind the name in ``help``: ``invstring [amount_msat]``."""
    words = [(name, param) for name, param in params.items() if not param.dev]
    return " ".join(name if param.required else f"[{name}]" for name, param in words)


def about_of(params: Parameters) -> str:
    """A line for each parameter of which something is said."""
    return "\n".join(f"{name}: {param.about}" for name, param in params.items() if param.about)
