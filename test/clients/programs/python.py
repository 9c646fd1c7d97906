"""Docker's own client for Python, as its documentation uses it; prints what it saw."""

import http.client
import io
import json
import os
import tarfile
import time

import docker

client = docker.DockerClient(base_url="unix://" + os.environ["SOCKET"])
image = os.environ["IMAGE"]
seen = {"ping": client.ping(), "api": client.version()["ApiVersion"]}

seen["run"] = client.containers.run(image, ["echo", "hello from python"], network_mode="none", remove=True).decode()
try:
    client.containers.run(image, ["sh", "-c", "echo bad >&2; exit 5"], network_mode="none", remove=True)
except docker.errors.ContainerError as error:
    seen["failed"] = [error.exit_status, error.stderr.decode()]

box = client.containers.run(image, ["sleep", "100"], name="py", detach=True, network_mode="none", labels={"by": "python"})
seen["status"] = client.containers.get("py").status
code, output = box.exec_run(["sh", "-c", "echo in; exit 3"])
seen["exec"] = [code, output.decode()]
code, (out, err) = box.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)
seen["demux"] = [out.decode(), err.decode()]

# A busy machine: this reads the head of an answer when all of the output is there, too.
begin = http.client.HTTPResponse.begin
def late(response):
    time.sleep(0.3)
    begin(response)
http.client.HTTPResponse.begin = late
seen["late"] = [box.exec_run(["echo", "late"], tty=tty).output.decode() for tty in (False, True)]
http.client.HTTPResponse.begin = begin

data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    info = tarfile.TarInfo("put")
    info.size = 3
    tar.addfile(info, io.BytesIO(b"put"))
box.put_archive("/tmp", data.getvalue())
bits, stat = box.get_archive("/tmp/put")
with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as tar:
    seen["archive"] = [stat["name"], tar.extractfile("put").read().decode()]

seen["stats"] = sorted(box.stats(stream=False))[:3]
seen["top"] = len(box.top()["Processes"])
seen["diff"] = [entry["Path"] for entry in box.diff() if entry["Path"].endswith("put")]
box.rename("py2")
box.pause()
seen["paused"] = client.containers.get("py2").status
box.unpause()
box.update(mem_limit="64m", memswap_limit="128m")
committed = box.commit("pythons", "1")
seen["commit"] = committed.tags
seen["list"] = [found.name for found in client.containers.list(filters={"label": "by=python"})]
box.stop(timeout=0)
seen["wait"] = box.wait()["StatusCode"]
box.remove()
client.images.remove("pythons:1")

socket = client.containers.create(image, ["cat"], stdin_open=True, network_mode="none", name="py3")
raw = socket.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
socket.start()
raw._sock.sendall(b"typed\n")
frame = raw.read(8 + 6)
seen["socket"] = frame[8:].decode()
socket.remove(force=True)

volume = client.volumes.create("py-volume", labels={"a": "b"})
seen["volume"] = [volume.name, volume.attrs["Labels"]]
volume.remove()
try:
    client.containers.get("nobody")
except docker.errors.NotFound as error:
    seen["missing"] = error.explanation
try:
    client.images.get("nothing:1")
except docker.errors.ImageNotFound as error:
    seen["noimage"] = error.explanation
print(json.dumps(seen))
