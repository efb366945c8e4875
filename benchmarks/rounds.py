"""Contenders taken in turns, A B C A B C, so that a noisy minute falls on all of them."""

from collections.abc import Mapping, Sequence

from benchmarks.clients import Job, Sample, run
from benchmarks.report import say

Rounds = Sequence[Mapping[str, Sequence[Sample]]]
"""One entry a round: contender → the samples of its batches."""


def interleaved(jobs: Sequence[Job], runs: int) -> Rounds:
    """Run every job once a round, each time in a fresh process."""
    rounds: list[dict[str, list[Sample]]] = []
    for number in range(1, runs + 1):
        samples: dict[str, list[Sample]] = {}
        for job in jobs:
            say(f"round {number} of {runs}: {job.client}")
            samples[job.client] = run(job)
        rounds.append(samples)
    return rounds
