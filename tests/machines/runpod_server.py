"""A stand-in for RunPod's REST API on loopback, whose pods are real OpenSSH servers in which real jobs train.

It speaks version 2 as RunPod's OpenAPI description has it, with the faults that people met. The live service was never
called.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.machines.ssh_server import SSHD, descendants

KEY = "rpa_SECRET_OF_THE_PERSON"
POD_KEY = "rpa_key_of_a_pod"
NO_CAPACITY = "There are no longer any instances available with the requested specifications."
FIELDS = {"name", "image", "gpu", "cloud", "dataCenterIds", "disk", "env", "ports", "args", "templateId"}

#: What an image's /start.sh does: let the key in, make host keys, print their fingerprints, serve.
_START = """#!/bin/bash
cd "$POD_FOLDER"
echo "$PUBLIC_KEY" > authorized_keys
ssh-keygen -q -t ed25519 -N "" -f host_key
echo "HOST KEY FINGERPRINT:"
ssh-keygen -l -f host_key.pub
exec {sshd} -D -f sshd_config -E sshd.log
"""


@dataclass
class FakePod:
    """One pod: a process with an sshd in it, and all that was begun through it."""

    id: str
    asked: dict[str, Any]
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None
    status: str = "RUNNING"
    fault: str = ""
    looks: int = 0

    def told(self) -> dict[str, Any]:
        if self.process and self.process.poll() is not None and self.status == "RUNNING":
            self.status = "EXITED"
        self.looks += 1
        ready = self.status == "RUNNING" and self.fault != "no port"
        # Ports are recycled: the first that is told may be that of a pod that was there before.
        port = 9 if self.fault == "stale port" and self.looks < 4 else self.port
        return {
            "id": self.id,
            "name": self.asked["name"],
            "status": self.status,
            "cost": 0.5 if self.status == "RUNNING" else 0,
            "gpu": {"id": "GPU Z", "count": 1} if self.fault == "other GPU" else self.asked["gpu"],
            "ssh": {"proxy": None, "direct": {"host": "127.0.0.1", "port": port} if ready else None},
            "runtime": None,
        }

    def end(self) -> None:
        """End everything in it, as when a container goes."""
        if self.process:
            # An sshd writes its title over its environment: it and its sessions are found by their ancestry.
            for number in (self.process.pid, *descendants(self.process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"RUNPOD_POD_ID={self.id}\0".encode() in (process / "environ").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        if self.process:
            self.process.wait()
        self.status = "EXITED"


@dataclass
class RunPodServer:
    """Pods by id, the faults that the next creates meet, and what was asked of it."""

    folder: Path
    pods: dict[str, FakePod] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    wrong_fingerprints: bool = False
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self.server
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def start(self) -> RunPodServer:
        start = self.folder / "start.sh"
        start.write_text(_START.format(sshd=SSHD))
        start.chmod(0o755)
        Path("/run/sshd").mkdir(exist_ok=True)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.answer(self, "GET")

            def do_POST(self) -> None:
                fake.answer(self, "POST")

            def do_DELETE(self) -> None:
                fake.answer(self, "DELETE")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        for pod in list(self.pods.values()):
            pod.end()
        if self.server:
            self.server.shutdown()
            self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        self.calls.append(f"{method} {request.path}")
        path = request.path.partition("?")[0].strip("/").split("/")[1:]
        body = json.loads(request.rfile.read(int(request.headers.get("Content-Length", 0))) or b"null")
        if request.headers.get("Authorization") not in (f"Bearer {KEY}", f"Bearer {POD_KEY}"):
            self._problem(request, 401, "missing bearer token")
            return
        match method, path:
            case "POST", ["pods"]:
                self._create(request, body)
            case "GET", ["pods"]:
                self._reply(request, 200, {"pods": [p.told() for p in list(self.pods.values())]})
            case "GET", ["pods", pod] if pod in self.pods:
                self._reply(request, 200, self.pods[pod].told())
            case "GET", ["pods", pod, "logs"] if pod in self.pods:
                self._logs(request, self.pods[pod])
            case "DELETE", ["pods", pod] if pod in self.pods:
                self.pods.pop(pod).end()
                self._reply(request, 204, None)
            case "GET", ["catalog", "gpus"]:
                gpu = {"secure": True, "community": False, "price": {"secure": 0.5}, "availability": "HIGH"}
                names = ("GPU A", "GPU B", "NVIDIA GeForce RTX 4090")
                self._reply(request, 200, {"gpus": [{"id": name, **gpu} for name in names]})
            case _:
                self._problem(request, 404, "not found")

    def _create(self, request: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        fault = self.faults.popleft() if self.faults else ""
        unknown = body.keys() - FIELDS
        if unknown or fault == "422":
            self._problem(request, 422, f"unknown fields {sorted(unknown)}")
        elif fault == "429":
            self._problem(request, 429, "too many", {"Retry-After": "1"})
        elif fault == "400":
            self._problem(request, 400, NO_CAPACITY)
        elif fault == "402":
            self._problem(request, 402, "insufficient balance")
        elif fault == "500":
            self._problem(request, 500, "internal error")
        else:
            pod = self._begin(body)
            pod.fault = fault
            if fault == "no driver":
                (pod.folder / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n")
            if fault == "dies":
                pod.end()
            if fault == "500 that made it":
                self._problem(request, 500, "internal error")
            else:
                self._reply(request, 201, pod.told() | {"status": "PROVISIONING", "ssh": None})

    def _begin(self, body: dict[str, Any]) -> FakePod:
        # The same nowhere else on this computer: a pod ends all that bears its id.
        pod_id = f"pod{os.getpid()}-{id(self)}-{len(self.calls)}"
        folder = self.folder / pod_id
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "nvidia-smi").write_text(f"#!/bin/sh\necho '{body['gpu']['id']}'\n")
        (folder / "bin" / "nvidia-smi").chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        inside = {"RUNPOD_POD_ID": pod_id, "RUNPOD_API_KEY": POD_KEY, "OMP_NUM_THREADS": "1", "POD_FOLDER": str(folder)}
        inside["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        settings = {
            "Port": port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host_key",
            "AuthorizedKeysFile": folder / "authorized_keys",
            "PidFile": folder / "pid",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "Subsystem": "sftp internal-sftp",
            "SetEnv": " ".join(f"{k}={v}" for k, v in inside.items()),
        }
        (folder / "sshd_config").write_text("".join(f"{k} {v}\n" for k, v in settings.items()))
        environ = {"HOME": os.environ.get("HOME", "/"), **inside, **body["env"]}
        with (folder / "container.log").open("wb") as log:
            command = body["args"] or str(self.folder / "start.sh")
            process = subprocess.Popen(  # noqa: S602 - as a container's command is run
                command, shell=True, env=environ, stdout=log, stderr=log, cwd=folder, start_new_session=True
            )
        pod = FakePod(pod_id, body, folder, port, process)
        self.pods[pod_id] = pod
        return pod

    def _logs(self, request: BaseHTTPRequestHandler, pod: FakePod) -> None:
        text = (pod.folder / "container.log").read_text()
        if self.wrong_fingerprints:
            text = "256 SHA256:" + "A" * 43 + " root@pod (ED25519)"
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        for line in text.splitlines():
            data = json.dumps({"source": "container", "line": line, "ts": "2026-11-25T00:00:00Z"})
            request.wfile.write(f"event: log\ndata: {data}\n\n".encode())

    def _problem(
        self, request: BaseHTTPRequestHandler, status: int, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        self._reply(request, status, {"title": "problem", "status": status, "detail": detail}, headers)

    @staticmethod
    def _reply(request: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        if content:
            request.send_header("Content-Type", "application/problem+json" if status >= 400 else "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
