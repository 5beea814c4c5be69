"""A question and what was found for it -> how well each answers. Optional: without a judge, the search's own order stands."""

from harken.adapters.judges.endpoint import EndpointJudge

__all__ = ["EndpointJudge"]
