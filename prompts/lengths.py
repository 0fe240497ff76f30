"""How long a prompt is, in tokens: guessed by its letters, for what is to be noticed before anybody pays for it."""

LETTERS_PER_TOKEN = 4  # of English text, about
LONG_TEMPLATE = 2000  # tokens of a prompt without its values: each item pays for them
LONG_RENDERED = 6000  # tokens of what is sent for one item


def guessed_tokens(*texts: str) -> int:
    """Return about how many tokens texts have."""
    return -(-sum(map(len, texts)) // LETTERS_PER_TOKEN)
