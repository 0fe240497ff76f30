"""A database's URL as it may be shown, stored and sent: without its secrets."""

import re

MASK = "***"
_BEHIND_A_USER = re.compile(r"(?P<before>://[^:@/\s]*:)[^@]*@")
_IN_WHAT_IS_NO_URL = re.compile(r"(?P<before>:)[^:@\s]*@")
_IN_THE_QUERY = re.compile(r"(?P<before>[?&](?:ssl)?password=)[^&\s]*", re.IGNORECASE)


def shown_url(url: str) -> str:
    """Return a URL with a mask in place of passwords."""
    pattern = _BEHIND_A_USER if "://" in url else _IN_WHAT_IS_NO_URL
    return _IN_THE_QUERY.sub(rf"\g<before>{MASK}", pattern.sub(rf"\g<before>{MASK}@", url))
