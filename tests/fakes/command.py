"""Commands of the system, replaced by one that notes how it was called."""

import json
import sys
from pathlib import Path

SCRIPT = """\
#!{python}
import json, pathlib, sys
place = pathlib.Path({place!r})
calls = json.loads(place.read_text()) if place.exists() else []
calls.append(sys.argv[1:])
place.write_text(json.dumps(calls))
answers = json.loads(pathlib.Path({answers!r}).read_text())
out, err, status = next((answers[word] for word in sys.argv if word in answers), ["", "", 0])
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
"""


class FakeCommand:
    """A command of the system that notes how it was called, and answers as it was told."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.calls_file = folder / f"{name}.calls"
        self.answers_file = folder / f"{name}.answers"
        self.answers_file.write_text("{}")
        program = folder / name
        text = SCRIPT.format(
            python=sys.executable, place=str(self.calls_file), answers=str(self.answers_file)
        )
        program.write_text(text)
        program.chmod(0o755)

    def answer(self, word: str, out: str = "", err: str = "", status: int = 0) -> None:
        """What to say when `word` is among the arguments."""
        answers = json.loads(self.answers_file.read_text())
        self.answers_file.write_text(json.dumps(answers | {word: [out, err, status]}))

    @property
    def calls(self) -> list[str]:
        """The calls since the last look, each as one line."""
        if not self.calls_file.exists():
            return []
        found: list[list[str]] = json.loads(self.calls_file.read_text())
        self.calls_file.unlink()
        return [" ".join(call) for call in found]
