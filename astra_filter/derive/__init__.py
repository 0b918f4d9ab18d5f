"""Schemas from what a server already has: JSON Schema or OpenAPI, annotated classes, sample data."""
