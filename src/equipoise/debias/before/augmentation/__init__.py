"""Profiles of users who do not exist: made, compared with real ones, and added to a log."""
