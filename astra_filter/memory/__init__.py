"""Filters and pages in memory: generated Python code."""
