"""What can be wrong with a knowledge base, by names that are the same for every database."""

from memory.errors import ReaseqError

BUSY_SECONDS = 30  # that long anybody waits for another's transaction, and for a server that is being restarted


class DatabaseUnreadable(ReaseqError):
    """The URL leads to no knowledge base that this version can read and write."""


class DatabaseMissing(DatabaseUnreadable):
    """There is no knowledge base of that name yet."""


class DatabaseBusy(ReaseqError):
    """Another process held the knowledge base for longer than the busy timeout, or its server did not answer."""


class DatabaseInterrupted(DatabaseBusy):
    """The server ended a transaction that did nothing wrong: nothing of it is stored, and it may be tried again."""


class DatabaseFull(ReaseqError):
    """The disk is full or failed; the transaction was rolled back."""
