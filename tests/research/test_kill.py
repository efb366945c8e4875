"""kill -9 of a real daemon in the middle of a research: it goes on, and asks nothing twice that is stored."""

from pathlib import Path

import anyio
import pytest

from tests.fakes.behaviours import Behaviour, Hang
from tests.fakes.openai import FakeOpenAI
from tests.jobs.machine import Machine
from tests.research.support import Question, World, a_world, reads, request_of, words

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts daemons and kills one"),
    pytest.mark.timeout(60),
]


class ResearchMachine(Machine):
    """A machine whose daemon searches in a world."""

    def __init__(self, home: Path, server: FakeOpenAI, world: World) -> None:
        super().__init__(home, server)
        self._world = world

    @property
    def environ(self) -> dict[str, str]:
        return {
            **super().environ,
            "SWARM__RESEARCH__SEARXNG_URL": self._world.search.base_url,
            "SWARM__RESEARCH__ALLOW_LOOPBACK": "true",
        }


async def test_a_research_outlives_its_daemon(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        names = [f"Firm-{number}" for number in range(6)]
        for number, name in enumerate(names):
            world.knows(name, words(name, number))

        def answer(question: Question) -> Behaviour:
            if not question.compares and question.subject in ("Firm-2", "Firm-4"):
                return Hang()
            return reads(question)

        world.answer = answer
        machine = ResearchMachine(tmp_path, world.model, world)
        try:
            await machine.launch()
            async with machine.way() as remote:
                job = await remote.submit(request_of(*names, topic="age"))
                while (await remote.job(job.id)).job.done < 4:
                    pass
            await machine.kill()
            asked = len(world.asked)
            world.answer = reads
            await machine.launch()
            async with machine.way() as remote:
                page = await remote.job(job.id, wait=20)
        finally:
            with anyio.CancelScope(shield=True):
                await machine.close()
    assert (page.job.status, page.job.successful) == ("complete", 6)
    assert page.results == [f"About {name}." for name in names]
    assert sorted(world.asked[asked:]) == ["Firm-2", "Firm-4"]
    numbers = [source["number"] for item in page.items for source in item["sources"]]
    assert len(numbers) == len(set(numbers)) == 6
    assert page.whole is not None
    assert page.whole["comparison"] == "They differ."
