"""Groups of items and their providers: who is shown, against a named target."""

from equipoise.audit.exposure.providers import provider_exposure, provider_metrics

__all__ = ["provider_exposure", "provider_metrics"]
