"""Columns as categories and quantities, and tests of whether they depend on each other."""
