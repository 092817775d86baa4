"""Sections of the page that puts corrections side by side, one module each."""
