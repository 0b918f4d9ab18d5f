"""Text to syntax tree and back (SPEC §2)."""
