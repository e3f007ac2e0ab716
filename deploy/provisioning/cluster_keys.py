"""Makes the secrets of a cluster, once: `python -m deploy.provisioning.cluster_keys` writes the files that compose.yaml hands out.

Each service gets a file of its own with nothing in it that belongs to another.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.keys import KeyFolder, write_secret
from deploy.provisioning.migrate import ROLES
from deploy.provisioning.nats_users import routes, write_passwords

FOLDER = Path(__file__).parents[1] / "secrets"
NODES = ("nats-1", "nats-2", "nats-3")
_USERS = ("provisioner", "intake", "analysis", "export")
USER = 10001
"""Who the containers run as where root makes the secrets; else whoever makes them."""


def make(folder: Path) -> Path:
    """Writes the missing secrets and keeps the others. Returns the env file with the owner of the files, for compose."""
    keys = KeyFolder(folder)
    servers = {user: ",".join(f"nats://{user}:{keys.in_url(f'nats-{user}')}@{node}:4222" for node in NODES) for user in _USERS}
    databases = {role: f"postgresql://{role}:{keys.in_url(f'postgres-{role}')}@postgres:5432/platea" for role in ("platea", *ROLES)}
    write_passwords(folder / "passwords.conf", keys)
    keys.path("record-key")
    keys.path("guard-key")
    _environment(folder / "nats.env", NATS_ROUTES=routes(keys, [f"{node}:6222" for node in NODES]))
    _environment(folder / "provision.env", PLATEA_NATS_URL=servers["provisioner"], PLATEA_DATABASE_URL=databases["platea"])
    _environment(folder / "intake.env", PLATEA_NATS_URL=servers["intake"])
    _environment(folder / "analysis.env", PLATEA_NATS_URL=servers["analysis"], PLATEA_DATABASE_URL=databases["platea_analysis"])
    _environment(folder / "export.env", PLATEA_NATS_URL=servers["export"], PLATEA_DATABASE_URL=databases["platea_export"])
    owner = USER if os.geteuid() == 0 else os.geteuid()
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner, owner)
    env_file = folder.parent / ".env"
    write_secret(env_file, f"PLATEA_USER={owner}:{owner}\n")
    return env_file


def _environment(path: Path, **settings: str) -> None:
    write_secret(path, "".join(f"{name}='{value}'\n" for name, value in settings.items()))


if __name__ == "__main__":
    env_file = make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    print(f"The secrets are in {env_file.with_name('secrets')}; {env_file} tells compose who may read them. Keep a copy of both.")
