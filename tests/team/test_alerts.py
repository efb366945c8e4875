"""Alerts: one file each, channels asked until they take them, and a receipt only for what was taken."""

import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from clawswarm.errors import StoreError
from clawswarm.team.alert_channel import AlertChannel, Call, Refused
from clawswarm.team.alert_desktop import Desktop
from clawswarm.team.alert_file import alert_name, write_alert
from clawswarm.team.alerts import file_alerts, received, waiting
from clawswarm.team.courier import Courier
from clawswarm.types.alarms import Alert
from clawswarm.types.team import Channel, Level
from tests.clock import FakeClock
from tests.store.places import full_disk
from tests.team.homes import Home, open_home

ALL: tuple[Channel, ...] = ("file", "webhook", "desktop")


@pytest.fixture
def home(tmp_path: Path, clock: FakeClock) -> Generator[Home]:
    with open_home(tmp_path, clock, run=None) as home:
        home.open(channels=ALL)
        yield home


def call(run: str = "r1", id_: str = "a7", body: str = "it burns", title: str = "Swarm: level 3") -> Call:
    alert = Alert(
        id=id_, emergency="e6", level=Level.SYSTEM, at=1769573520.9, title=title, body=body, wanted=ALL
    )
    return Call(run, alert, "manual")


# Files.


def test_an_alert_is_one_file_with_its_time_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "alerts"
    assert write_alert(folder, call()) == "ALERT-20260128T041200Z-r1-a7.md"
    assert write_alert(folder, call()) == "ALERT-20260128T041200Z-r1-a7.md"
    (file,) = folder.glob("ALERT-*")
    assert file.read_text() == "# Swarm: level 3\n\nit burns\n\nAlert r1/a7, 2026-01-28T04:12:00Z\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_alerts_of_the_same_second_have_files_of_their_own(tmp_path: Path) -> None:
    names = {write_alert(tmp_path, told) for told in (call(), call(id_="a8"), call(run="r2"))}
    assert len(names) == len(list(tmp_path.glob("ALERT-*"))) == 3


def test_a_runs_name_does_not_lead_elsewhere() -> None:
    assert "/" not in alert_name(call(run="../../etc/passwd"))


def test_the_receipt_is_the_files_name(home: Home) -> None:
    home.emergency()
    (name,) = file_alerts(home.board, home.paths.alerts)
    (alert,) = home.alerts()
    assert [(receipt.channel, receipt.detail) for receipt in alert.receipts] == [("file", name)]
    assert alert.open
    assert not alert.told
    assert file_alerts(home.board, home.paths.alerts) == []
    assert [event.subject for event in home.events("alert_received")] == [alert.id]
    assert "the disk is on fire" in (home.paths.alerts / name).read_text()


def test_a_file_without_a_receipt_is_not_written_again(home: Home) -> None:
    """As a crash leaves it between the two."""
    home.emergency()
    told = waiting(home.board)[0][0]
    file = home.paths.alerts / write_alert(home.paths.alerts, told)
    number = file.stat().st_ino
    assert file_alerts(home.board, home.paths.alerts) == [file.name]
    assert file.stat().st_ino == number


def test_alerts_that_cannot_be_written_wait_and_say_why(home: Home) -> None:
    home.emergency()
    home.paths.alerts.write_text("a file in the way")
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be written") as caught:
            file_alerts(home.board, home.paths.alerts)
        assert "SWARM_ALERTS_DIR" in (caught.value.hint or "")
    (alert,) = home.alerts()
    assert "cannot be written" in alert.trouble["file"]
    assert len(home.events("alert_refused")) == 1
    home.paths.alerts.unlink()
    assert len(file_alerts(home.board, home.paths.alerts)) == 1
    assert home.alerts()[0].trouble == {}


def test_a_full_disk_leaves_no_half_alert(home: Home, tmp_path: Path) -> None:
    with full_disk(10), pytest.raises(StoreError, match="cannot be written"):
        write_alert(tmp_path / "full", call())
    assert list((tmp_path / "full").glob("*ALERT*")) == []


def test_a_receipt_is_recorded_once(home: Home) -> None:
    home.emergency()
    told = waiting(home.board)[0][0]
    for _ in range(2):
        received(home.board, told, "webhook", "HTTP 200")
    (alert,) = home.alerts()
    assert alert.told
    assert len(alert.receipts) == 1


# The courier.


class Mailbox:
    """A channel that answers as it is told; None is acceptance."""

    def __init__(self, name: Channel, *answers: str | None) -> None:
        self._name: Channel = name
        self.answers = list(answers)
        self.calls: list[Call] = []
        self.before: Callable[[], None] | None = None

    @property
    def name(self) -> Channel:
        return self._name

    async def tell(self, call: Call) -> str:
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise Refused(answer, final=answer == "not here")
        if self.before is not None:
            self.before()
        return "taken"


@asynccontextmanager
async def at_work(
    home: Home, channels: Sequence[AlertChannel], max_wait: float = 8
) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """A courier at work; yields what tells it of news."""
    news = anyio.Event()

    async def changed() -> None:
        nonlocal news
        await news.wait()
        news = anyio.Event()

    async def ring() -> None:
        news.set()

    async with anyio.create_task_group() as group:
        courier = Courier(home.board, home.clock, channels, max_wait=max_wait)
        group.start_soon(courier.run, changed)
        yield ring
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_channel_is_asked_with_growing_waits_until_it_takes_the_alert(
    home: Home, clock: FakeClock
) -> None:
    home.emergency()
    webhook = Mailbox("webhook", *["HTTP 503"] * 6)
    start = clock.monotonic()
    async with at_work(home, [webhook]):
        await clock.settle()
    assert [round(jump - start) for jump in clock.jumps] == [1, 3, 7, 15, 23, 31]
    assert {told.id for told in webhook.calls} == {f"r1/{home.alerts()[0].id}"}
    (alert,) = home.alerts()
    assert [(receipt.channel, receipt.detail) for receipt in alert.receipts] == [("webhook", "taken")]
    assert alert.trouble == {}
    assert [event.facts["reason"] for event in home.events("alert_refused")] == ["HTTP 503"]


@pytest.mark.anyio
async def test_trouble_is_noted_once_a_reason(home: Home, clock: FakeClock) -> None:
    home.emergency()
    webhook = Mailbox("webhook", "down", "busy", "down", "busy", "down")
    async with at_work(home, [webhook]):
        await clock.settle()
    assert [event.facts["reason"] for event in home.events("alert_refused")] == ["down", "busy"]
    assert len(webhook.calls) == 6


@pytest.mark.anyio
async def test_nothing_claims_a_receipt_before_there_is_one(home: Home, clock: FakeClock) -> None:
    home.emergency()
    async with at_work(home, [Mailbox("webhook", *["HTTP 503"] * 100)]):
        await clock.step(60)
        assert not home.alerts()[0].told
        home.publish()
        assert b"nobody can be said to have been told yet" in home.found()["emergency.md"]
        assert b"Not received: webhook: HTTP 503" in home.found()["emergency.md"]


@pytest.mark.anyio
async def test_every_alert_is_taken_once_however_often_there_is_news(home: Home, clock: FakeClock) -> None:
    webhook = Mailbox("webhook")
    async with at_work(home, [webhook]) as ring:
        for number in range(3):
            home.emergency(text=f"fire {number}")
            await ring()
            await clock.settle()
            await ring()
            await clock.settle()
    assert len({told.id for told in webhook.calls}) == len(webhook.calls) == 3
    assert [alert.told for alert in home.alerts()] == [True] * 3


@pytest.mark.anyio
async def test_what_another_process_has_delivered_is_not_asked_again(home: Home, clock: FakeClock) -> None:
    home.emergency()
    webhook = Mailbox("webhook", "HTTP 503", "HTTP 503")
    async with at_work(home, [webhook]):
        await clock.step(0.5)
        received(home.board, webhook.calls[0], "webhook", "by another")
        await clock.settle()
    assert len(webhook.calls) == 1


@pytest.mark.anyio
async def test_a_channel_that_is_not_here_does_not_keep_the_alert_open(home: Home, clock: FakeClock) -> None:
    home.emergency()
    file_alerts(home.board, home.paths.alerts)
    async with at_work(home, [Mailbox("webhook"), Mailbox("desktop", "not here")]):
        await clock.settle()
    (alert,) = home.alerts()
    assert (alert.open, alert.wanted, alert.trouble) == (False, ("file", "webhook"), {"desktop": "not here"})
    assert [event.facts["final"] for event in home.events("alert_refused")] == [True]


@pytest.mark.anyio
async def test_the_desktop_is_given_up_after_some_tries(home: Home, clock: FakeClock) -> None:
    home.emergency()
    desktop = Mailbox("desktop", *["exit code 1"] * 50)
    async with at_work(home, [desktop]):
        await clock.settle()
    assert len(desktop.calls) == 5
    assert "desktop" not in home.alerts()[0].wanted
    assert not home.alerts()[0].told


@pytest.mark.anyio
async def test_who_is_called_off_between_acceptance_and_receipt_still_records_it(
    home: Home, clock: FakeClock
) -> None:
    home.emergency()
    webhook = Mailbox("webhook")
    with anyio.CancelScope() as scope:
        webhook.before = scope.cancel
        async with at_work(home, [webhook]):
            await anyio.sleep_forever()
    assert home.alerts()[0].told


@pytest.mark.anyio
async def test_a_board_that_cannot_be_written_is_tried_again_and_nobody_is_told_twice(
    home: Home, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    home.emergency()
    webhook = Mailbox("webhook")
    with full_disk() as _:
        async with at_work(home, [webhook]):
            await clock.step(10)
            assert not home.alerts()[0].told
            assert len(webhook.calls) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.anyio
async def test_a_run_that_has_ended_still_calls_a_human(home: Home, clock: FakeClock) -> None:
    home.emergency()
    webhook = Mailbox("webhook", *["HTTP 503"] * 2)
    home.end()
    async with at_work(home, [webhook]):
        await clock.settle()
    assert len(webhook.calls) == 3
    assert [receipt.channel for receipt in home.alerts()[0].receipts] == ["webhook"]


# The desktop.


def program(folder: Path, name: str, exit_code: int = 0) -> Path:
    """A program that writes down its arguments."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" > {folder}/said\nexit {exit_code}\n')
    path.chmod(0o755)
    return path


def said(folder: Path) -> list[str]:
    return (folder / "said").read_text().split("\0")[:-1]


@pytest.mark.anyio
async def test_notify_send_gets_the_text_as_data(tmp_path: Path, clock: FakeClock) -> None:
    program(tmp_path / "bin", "notify-send")
    nasty = call(title='--help "$(id)"', body="<b>bold</b> & `id`\x00\x1b[2J")
    assert await Desktop({"PATH": str(tmp_path / "bin")}, clock).tell(nasty) == "notify-send: exit code 0"
    assert said(tmp_path / "bin") == [
        "--urgency=critical",
        "--app-name=Swarm",
        "--",
        "Swarm: a human is needed",
        '--help "$(id)"\n&lt;b&gt;bold&lt;/b&gt; &amp; `id`[2J',
    ]


@pytest.mark.anyio
async def test_osascript_gets_the_text_as_data(tmp_path: Path, clock: FakeClock) -> None:
    program(tmp_path / "bin", "osascript")
    nasty = call(body='" & (do shell script "id") & "')
    assert await Desktop({"PATH": str(tmp_path / "bin")}, clock).tell(nasty) == "osascript: exit code 0"
    *script, title, text = said(tmp_path / "bin")
    assert script == [
        "-e",
        "on run argv",
        "-e",
        "display notification (item 2 of argv) with title (item 1 of argv)",
        "-e",
        "end run",
    ]
    assert (title, text) == ("Swarm: a human is needed", 'Swarm: level 3\n" & (do shell script "id") & "')


@pytest.mark.anyio
async def test_an_exit_code_is_no_receipt(tmp_path: Path, clock: FakeClock) -> None:
    program(tmp_path / "bin", "notify-send", exit_code=3)
    with pytest.raises(Refused, match="notify-send: exit code 3") as caught:
        await Desktop({"PATH": str(tmp_path / "bin")}, clock).tell(call())
    assert not caught.value.final


@pytest.mark.anyio
async def test_where_there_is_no_desktop_that_is_final(tmp_path: Path, clock: FakeClock) -> None:
    for desktop in (
        Desktop({"PATH": str(tmp_path)}, clock),
        Desktop({"PATH": str(tmp_path)}, clock, enabled=False),
    ):
        with pytest.raises(Refused) as caught:
            await desktop.tell(call())
        assert caught.value.final
