"""Take into the site what lives elsewhere in the repository, so that one link works there and in a checkout.

MkDocs knows the files in `docs` only. This hook adds `INCLUDED`, and writes every relative link anew: to where its
target is in the site, or as plain text where only the repository has it.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {"Contributing": "CONTRIBUTING.md", "Security": "SECURITY.md", "Changelog": "CHANGELOG.md"}
"""Pages that close the navigation, where they exist."""
INCLUDED = ("grammar/SPEC.md", "benchmarks/speed.svg", *PAGES.values())
"""By path in the repository; each has the same path in the site."""

_LINK = re.compile(r"(!?)\[([^\]\n]*)\]\(([^()\s#]+)((?:#[^()\s]*)?)\)")
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add `PAGES` to the navigation."""
    config.nav = [*(config.nav or ()), *({title: path} for title, path in PAGES.items() if (ROOT / path).exists())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that exist."""
    for path in INCLUDED:
        if (ROOT / path).exists():
            files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write the links of a page anew, except in code."""
    del config
    here = page.file.src_uri
    in_repository = here if here in INCLUDED else f"docs/{here}"

    def link(match: re.Match[str]) -> str:
        image, label, target, heading = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = normpath(str(PurePosixPath(in_repository).parent / target))
        in_site = path.removeprefix("docs/")
        if files.get_file_from_path(in_site) is not None:
            return f"{image}[{label}]({relpath(in_site, PurePosixPath(here).parent)}{heading})"
        # What is not there at all is left to MkDocs, which says so.
        return label if (ROOT / path).exists() else match[0]

    pieces = _CODE.split(markdown)
    pieces[::2] = [_LINK.sub(link, piece) for piece in pieces[::2]]
    return "".join(pieces)
