"""What has an operating system keep a worker alive: a systemd user unit, a launchd agent."""

from __future__ import annotations

import plistlib
import shlex
import sys
from collections.abc import Callable, Mapping

from idiolect.home import Home

_SYSTEMD = """\
# Save as ~/.config/systemd/user/idiolect-worker.service, then:
#   systemctl --user enable --now idiolect-worker
#   loginctl enable-linger     (so that it also runs while nobody is logged in)
[Unit]
Description=Idiolect worker

[Service]
ExecStart={command}
Restart=always
RestartSec=10
Nice=10
# A file with a line IDIOLECT_DATABASE_URL=..., where there is such a database.
EnvironmentFile=-{environment}

[Install]
WantedBy=default.target
"""


def _command(home: Home, queue: str | None) -> list[str]:
    chosen = ["--queue", queue] if queue else []
    return [sys.executable, "-m", "idiolect", "worker", *chosen, "--home", str(home.root)]


def systemd(home: Home, queue: str | None) -> str:
    """Return a unit file (systemd.service(5)); % is its own sign and doubled."""
    command = shlex.join(_command(home, queue)).replace("%", "%%")
    return _SYSTEMD.format(command=command, environment=str(home.root / "etc" / "worker.env").replace("%", "%%"))


def launchd(home: Home, queue: str | None) -> str:
    """Return a property list (launchd.plist(5)), for ~/Library/LaunchAgents/idiolect.worker.plist."""
    agent = {
        "Label": "idiolect.worker",
        "ProgramArguments": _command(home, queue),
        "KeepAlive": True,
        "RunAtLoad": True,
        "ProcessType": "Background",
        "StandardOutPath": str(home.root / "state" / "worker.log"),
        "StandardErrorPath": str(home.root / "state" / "worker.log"),
    }
    return plistlib.dumps(agent).decode()


UNITS: Mapping[str, Callable[[Home, str | None], str]] = {"systemd": systemd, "launchd": launchd}
