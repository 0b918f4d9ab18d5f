"""Adapters for ORMs and web frameworks: one module each, which needs the extra of its name."""
