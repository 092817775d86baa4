"""Detectors of events that are not taste, each by itself: who, by which rule, how far, and which rows."""
