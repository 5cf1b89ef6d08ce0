"""Training: what is done with gradients once they are known."""

from .clipping import clip_by_norm, clip_by_value

__all__ = ["clip_by_norm", "clip_by_value"]
