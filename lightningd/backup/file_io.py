"""The file ``emergency.recover``: read, and replaced whole or not at all."""

from __future__ import annotations

import os

FILE_NAME = "emergency.recover"
_TEMPORARY = "scb.tmp"


def read(path: str) -> bytes | None:
    """What the file holds; None where there is none. Raises OSError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace(folder: str, content: bytes, name: str = FILE_NAME) -> None:
    """Put new content in place, durable when this returns. Raises OSError; the old content is then still there."""
    temporary = os.path.join(folder, _TEMPORARY)
    try:
        os.unlink(temporary)  # a crash may have left one
    except FileNotFoundError:
        pass
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, os.path.join(folder, name))
    except OSError:
        _remove_quietly(temporary)
        raise
    _sync(folder)


def move_aside(folder: str, now: int, name: str = FILE_NAME) -> str:
    """Rename a file that cannot be used, so that it is not overwritten; its new name. Raises OSError."""
    new_name = first = f"{name}.unreadable.{now}"
    number = 1
    while os.path.lexists(os.path.join(folder, new_name)):  # a second one within a second
        number += 1
        new_name = f"{first}.{number}"
    os.rename(os.path.join(folder, name), os.path.join(folder, new_name))
    _sync(folder)
    return new_name


def _remove_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it is only in the way


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
