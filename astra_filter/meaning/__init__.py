"""Syntax tree to checked tree: what a filter means for a schema (SPEC §3, §4)."""
