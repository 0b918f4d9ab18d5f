"""The proof of one semantics (SPEC §4), for any schema; needs the extra ``testing``.

`prove` is all that most need; `prove_endpoint` does the same to an HTTP endpoint, and `prove_model` to an ORM's model.
The rest is what it is made of: Hypothesis strategies, the differential oracle, the reference evaluator and the laws.
"""

from __future__ import annotations

from astra_filter.wording import installation as wording

try:
    import hypothesis as _hypothesis  # noqa: F401  # Only to tell what is missing.
except ModuleNotFoundError as error:
    raise wording.missing_extra("testing", error) from error

from astra_filter.testing.endpoint import EndpointProof, prove_endpoint
from astra_filter.testing.laws import Law, laws
from astra_filter.testing.models import ModelProof, prove_model
from astra_filter.testing.oracle import Table, assert_same
from astra_filter.testing.proof import Proof, prove
from astra_filter.testing.reference import matches
from astra_filter.testing.strategies import datasets, filter_texts, filters, mutations, queries, resources

__all__ = [
    "EndpointProof",
    "Law",
    "ModelProof",
    "Proof",
    "Table",
    "assert_same",
    "datasets",
    "filter_texts",
    "filters",
    "laws",
    "matches",
    "mutations",
    "prove",
    "prove_endpoint",
    "prove_model",
    "queries",
    "resources",
]
