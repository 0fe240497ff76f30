"""What a page is made of, as a browser reads it, and a text that no page may run."""

from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} \" onmouseover='x' & <img src=http://evil.test/a.png>"


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
