"""How far the questions are that were handed to a provider in batches."""

from memory.record import Record


class BatchesUnderWay(Record):
    """What waits at the moment, for a live view."""

    batches: int  # known to the provider
    questions: int  # in them
    answered: int  # of those, as the provider counts
    gathering: int  # questions that are not submitted yet
