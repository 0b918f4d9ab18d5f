"""What is said of an installation that lacks something."""

from __future__ import annotations

from astra_filter.errors import AstraFilterError, MissingExtraError


def no_grammar(place: object) -> AstraFilterError:
    return AstraFilterError("no_grammar", f"filter.lark is missing beside {place}: the installation is incomplete")


def missing_extra(extra: str, error: ImportError) -> MissingExtraError:
    """Say which extra brings the package that could not be imported."""
    package = (error.name or str(error)).partition(".")[0]
    message = f"the package {package} is not installed; install it with: pip install 'astra-filter[{extra}]'"
    return MissingExtraError("missing_extra", message)
