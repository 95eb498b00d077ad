"""The four families of errors. The type decides the consequence, never the place that raises.

========================  ==========================  =============================================
family                    meaning                     consequence
========================  ==========================  =============================================
`PeerError` and its kin   the peer broke a rule       ignore, `warning`, `error` + channel failed,
                                                      or disconnect
`UserError`               the caller asked the        a JSON-RPC error
                          impossible
`BackendError`            bitcoind, disk or Tor is    retried with back-off; a failed disk write
                          not available               stops the node
anything else             our bug                     logged BROKEN with its trace; the daemon exits
                                                      and is restarted. Never `error` to a peer,
                                                      never a force-close
========================  ==========================  =============================================
"""

from __future__ import annotations

from typing import Any


class PeerError(Exception):
    """The peer broke a rule of the BOLTs. Raise one of the subclasses."""


class IgnorePeer(PeerError):
    """Drop this message; nothing else changes."""


class WarnPeer(PeerError):
    """Send `warning` with the text, then disconnect. The channel lives on after a reconnect."""


class FailChannel(PeerError):
    """Send `error` with the text and close the channel unilaterally."""


class DisconnectPeer(PeerError):
    """Close the connection without a word."""


class WireError(ValueError):
    """Bytes that are not a well-formed message. From a peer it becomes `WarnPeer`; from a sibling, a bug."""


class UserError(Exception):
    """The caller of a command asked for something that cannot be done.

    `code` is CLN's JSON-RPC error code; `message` says what was wrong, what was expected and, where it
    helps, shows an example; `data` is what a program may want to read.
    """

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class BackendError(Exception):
    """Something outside the node (bitcoind, the disk, Tor) does not work now and may work later."""
