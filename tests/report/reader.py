"""Reads pages as a browser would: tags with their attributes, words, and what was left open."""

from html.parser import HTMLParser

VOID = {"meta", "link", "line", "circle", "rect", "path", "polyline", "input", "br"}


class Reader(HTMLParser):
    """Tags, words and open tags of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.open, self.faults = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        self.words.append(data)
