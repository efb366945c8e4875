"""What became of alerts, on the board: which wait, who has taken them, and why somebody has not.

A receipt is written only after the channel has taken the alert, so that nothing claims more than is true.
"""

from dataclasses import replace
from pathlib import Path

from clawswarm.errors import StoreError
from clawswarm.team.alert_channel import Call
from clawswarm.team.alert_file import write_alert
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.types.alarms import Alert, Emergency, Receipt
from clawswarm.types.team import SYSTEM, Channel

RUNS = 5
"""Runs whose alerts are looked after, the newest first."""


def waiting(board: Board) -> list[tuple[Call, Channel]]:
    """Alerts with each channel that has not taken them yet; a run that has ended may still call a human."""
    return [found for run in board.runs(RUNS) for found in _waiting(board, run)]


def _waiting(board: Board, run: str) -> list[tuple[Call, Channel]]:
    with board.reading(run) as (head, stored):
        alerts = stored.all(Alert, open_only=True)
        about = {alert.id: stored.get(Emergency, alert.emergency) for alert in alerts}
    found: list[tuple[Call, Channel]] = []
    for alert in alerts:
        emergency = about[alert.id]
        call = Call(head.run, alert, "manual" if emergency is None else emergency.cause)
        found.extend((call, channel) for channel in alert.wanted if channel not in _took(alert))
    return found


def still_waits(board: Board, call: Call, channel: Channel) -> bool:
    with board.reading(call.run) as (_, stored):
        alert = stored.get(Alert, call.alert.id)
    return alert is not None and channel in alert.wanted and channel not in _took(alert)


def received(board: Board, call: Call, channel: Channel, detail: str) -> None:
    """Record that a channel has taken an alert."""

    def decide(draft: Draft) -> Alert:
        alert = draft.need(Alert, call.alert.id)
        if channel in _took(alert):
            return alert
        receipt = Receipt(channel=channel, at=draft.now, detail=detail)
        trouble = {name: why for name, why in alert.trouble.items() if name != channel}
        changed = replace(alert, receipts=(*alert.receipts, receipt), trouble=trouble)
        draft.record(
            "alert_received",
            alert.id,
            f"{channel} has taken the alert {alert.id}: {detail}",
            changed,
            facts={"channel": channel, "detail": detail},
        )
        return changed

    board.change(decide, actor=SYSTEM, run=call.run, durable=True, even_ended=True)


def refused(board: Board, call: Call, channel: Channel, reason: str, *, final: bool) -> None:
    """Record why a channel has not taken an alert; with `final` it is not asked again."""

    def decide(draft: Draft) -> Alert:
        alert = draft.need(Alert, call.alert.id)
        if channel in _took(alert) or (alert.trouble.get(channel) == reason and not final):
            return alert
        wanted = tuple(name for name in alert.wanted if not (final and name == channel))
        changed = replace(alert, wanted=wanted, trouble=alert.trouble | {channel: reason})
        told = "is not asked again" if final else "has not taken it yet"
        draft.record(
            "alert_refused",
            alert.id,
            f"{channel} {told}, the alert {alert.id}: {reason}",
            changed,
            facts={"channel": channel, "reason": reason, "final": final},
        )
        return changed

    board.change(decide, actor=SYSTEM, run=call.run, even_ended=True)


def file_alerts(board: Board, folder: Path) -> list[str]:
    """Write the files of all alerts that wait for one, each once; returns their names.

    Any process may do that at any time, a crash between the file and its receipt included.

    Raises:
        StoreError: the alerts directory or the board cannot be written.
    """
    names: list[str] = []
    trouble: StoreError | None = None
    for call in (call for call, channel in waiting(board) if channel == "file"):
        try:
            name = write_alert(folder, call)
        except StoreError as error:
            trouble = trouble or error
            refused(board, call, "file", error.message, final=False)
        else:
            received(board, call, "file", name)
            names.append(name)
    if trouble is not None:
        raise trouble
    return names


def _took(alert: Alert) -> set[Channel]:
    return {receipt.channel for receipt in alert.receipts}
