"""Users with nothing installed yet, and with the stub package."""

from pathlib import Path

import pytest

from tests.install.clones import write_stub
from tests.install.users import User


@pytest.fixture
def newcomer(tmp_path: Path) -> User:
    """A user who has installed nothing yet."""
    home = tmp_path / "my home"
    home.mkdir()
    return User(home, write_stub(tmp_path / "my clone", "1.0"))


@pytest.fixture(scope="session")
def stub_user(tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("stub")
    (folder / "my home").mkdir()
    return User(folder / "my home", folder / "my clone")


@pytest.fixture
def user(stub_user: User) -> User:
    """A user with version 1.0 of the stub package, whatever the test before left behind."""
    write_stub(stub_user.clone, "1.0")
    done = stub_user.install()
    assert done.returncode == 0, done.stdout
    return stub_user
