"""The files that show a run in the memory directory: one state, each for its readers (design, section 7)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from clawswarm.team.overview import Overview
from clawswarm.team.view_decisions import decisions
from clawswarm.team.view_emergency import emergency_page
from clawswarm.team.view_pipeline import pipeline_state
from clawswarm.team.view_state import team_state

VIEWS: Mapping[str, Callable[[Overview], str]] = MappingProxyType(
    {
        "team-state.md": team_state,
        "pipeline-state.md": pipeline_state,
        "emergency.md": emergency_page,
        "decisions.md": decisions,
    }
)
"""What is shown, by the name of its file. A checkpoint has a page of its own: `view_checkpoint`."""
