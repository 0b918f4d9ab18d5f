"""The query parameters of a list request (SPEC §6)."""
