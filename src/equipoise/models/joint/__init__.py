"""A recommender whose items are what their pictures, numbers and texts make of them, trained as one."""

from equipoise.models.joint.model import FittedJoint, Joint

__all__ = ["FittedJoint", "Joint"]
