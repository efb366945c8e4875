"""checkpoints/<id>.md: one checkpoint, along the agenda of the operations guide (section 3)."""

from clawswarm.team.markdown import inline, item, page, quote, table
from clawswarm.team.moments import shown
from clawswarm.team.rules.roles import display_name
from clawswarm.team.view_state import phase_name
from clawswarm.types.meetings import Checkpoint
from clawswarm.types.team import Role


def checkpoint_page(checkpoint: Checkpoint) -> str:
    """The whole file."""
    commit = [] if checkpoint.commit is None else [f"- Commit: {inline(checkpoint.commit)}"]
    return page(
        f"# Checkpoint {checkpoint.id}: {shown(checkpoint.at)}",
        "",
        f"- Phase: {phase_name(checkpoint.phase)}",
        f"- Trigger: {inline(checkpoint.trigger)}",
        f"- Taken by: {display_name(checkpoint.by)}",
        f"- Journal: up to event {checkpoint.seq}",
        commit,
        f'- Back to it: `swarm team restore {checkpoint.id} --reason "why"`',
        "",
        "## 1. State",
        quote(checkpoint.summary) or "- Nothing said",
        "",
        "## 2. Reports",
        table(
            ("Agent", "Report"),
            [(display_name(role), checkpoint.sentences.get(role, "")) for role in Role],
        ),
        "",
        "## 3. Blockers",
        [f"- {item(blocker)}" for blocker in checkpoint.blockers] or "- None currently",
        "",
        f"## 4. Decision: {checkpoint.decision.capitalize()}",
        "",
        "## 5. Next Checkpoint Trigger",
        f"- {item(checkpoint.next_trigger) or 'None set'}",
    )
