"""The journeys: `run` is the main job from events to report, `tune` chooses hyper-parameters."""

from equipoise.pipeline.run import Run, run

__all__ = ["Run", "run"]
