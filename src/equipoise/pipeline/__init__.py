"""The journeys: `run` is the main job from events to report, `tune` chooses hyper-parameters.

Nothing is imported here, so that opening a finished run does not load what made it.
"""
