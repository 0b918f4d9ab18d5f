"""Words that every room uses: operators, names, places in a text, records, values."""
