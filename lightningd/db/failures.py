"""Why a commit could not be made although SQLite itself is well."""

from __future__ import annotations

from pylightningd.common.errors import BackendError


class CommitFailed(BackendError):
    """The node must stop; the text tells the user why. Nothing of the turn has left the node."""
