"""The error whose text is written for the user; everything else is a defect."""


class ReaseqError(Exception):
    """Something the user can mend: the text names the offender and says what to do."""
