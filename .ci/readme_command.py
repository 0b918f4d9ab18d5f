"""Print one of the two commands of the README: `main` or `tests`, as marked by a comment above its code block."""

import re
import sys
from pathlib import Path

text = Path("README.md").read_text(encoding="utf-8")
block = re.search(rf"<!-- command: {sys.argv[1]} -->\n+```sh\n(.*?)```", text, re.DOTALL)
if block is None:
    sys.exit(f"the README has no command {sys.argv[1]!r}")
print(block[1])  # noqa: T201
