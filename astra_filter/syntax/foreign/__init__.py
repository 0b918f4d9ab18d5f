"""Filters in the spellings of other languages, read to make hints of them; imported to explain errors only."""
