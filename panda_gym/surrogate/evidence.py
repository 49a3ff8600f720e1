"""Make the three tables behind a certificate again from the records and the weights.

A certificate states how the records were split and how the synthetic rows were drawn. Whoever has
the records and the sealed folder can repeat both and compare the rows by hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from panda_gym.errors import SurrogateError
from panda_gym.records import split_by_groups, split_by_rows

if TYPE_CHECKING:
    import pandas as pd

    from metrics import Certificate


def tables(
    certificate: Certificate, records: pd.DataFrame, generator: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return training, held-out and synthetic rows as the certificate says they were drawn."""
    drawn = how_drawn(certificate)
    group, seed = certificate.document["columns"]["group"], drawn["split_seed"]
    if group is None:
        train, holdout = split_by_rows(records, seed=seed)
    else:
        train, holdout = split_by_groups(records, group, seed=seed)
    return train, holdout, generator.sample(drawn["rows"], seed=drawn["sample_seed"])


def how_drawn(certificate: Certificate) -> Mapping[str, Any]:
    """Return the seeds and sizes of a certificate; SurrogateError if it does not state them."""
    drawn = certificate.document["provenance"]["drawn"]
    if not isinstance(drawn, Mapping) or not {"split_seed", "rows", "sample_seed"} <= set(drawn):
        raise SurrogateError(
            "a certificate that states how its tables were drawn",
            repr(drawn),
            "pass one that `panda-grid certify` issued, or give metrics.certificate.rerun tables",
        )
    return drawn
