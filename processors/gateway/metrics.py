"""The metrics of the gateway. Each with what a change means."""

from __future__ import annotations

from streams.instruments import Counter
from streams.labels import AtMost, Closed
from streams.metrics import REGISTRY

GATEWAY_CALLS = Counter(
    # 401 or 400 rises: a provider signs or reports incorrectly; 404: broken links; 503: the brokers are unavailable.
    "careline_gateway_calls_total",
    "Calls that report an outcome or unsubscribe, by response status.",
    {"kind": Closed("outcome", "unsubscribe"), "status": AtMost(30)},
    registry=REGISTRY,
)
