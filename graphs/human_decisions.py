"""How results of a run are stored: as people's decisions have them, also those that were made meanwhile."""

from functools import partial

from agents.human_rulings import with_rulings
from memory.reviewed_results import finish_amended

# One object for the whole process: writes of its kind are committed together.
finish_reviewed = partial(finish_amended, amend=with_rulings)
