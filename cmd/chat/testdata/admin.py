"""An admin of python-socketio: logs in, watches a client, and has it join, receive and go.

usage: admin.py URL USERNAME PASSWORD
"""
import asyncio
import sys

import socketio

PATIENCE = 30  # seconds that anything may take


class Mailbox:
    """Keeps the events of one client, by name, in order of arrival."""

    def __init__(self, client, namespace, *events):
        self.queues = {event: asyncio.Queue() for event in events}
        for event in events:
            client.on(event, self.keeper(event), namespace=namespace)

    def keeper(self, event):
        async def keep(*args):
            self.queues[event].put_nowait(args)
        return keep

    async def next(self, event, fits=lambda *args: True):
        while True:
            args = await asyncio.wait_for(self.queues[event].get(), PATIENCE)
            if fits(*args):
                return args


async def main(url, username, password):
    refused = socketio.AsyncClient(reconnection=False)
    errors = Mailbox(refused, "/admin", "connect_error")
    await refused.connect(url, auth={"username": username, "password": "x"}, namespaces=["/admin"], wait=False)
    print("refused:", (await errors.next("connect_error"))[0]["message"])
    await refused.disconnect()

    admin = socketio.AsyncClient(reconnection=False)
    mail = Mailbox(admin, "/admin", "session", "config", "all_sockets", "server_stats", "socket_connected", "room_joined")
    await admin.connect(url, auth={"username": username, "password": password}, namespaces=["/admin"], wait_timeout=PATIENCE)
    await mail.next("session")
    print("features:", *sorted((await mail.next("config"))[0]["supportedFeatures"]))
    stats = (await mail.next("server_stats"))[0]
    print("numbers:", stats["serverId"], ",".join(n["name"] for n in stats["namespaces"]))

    client = socketio.AsyncClient(reconnection=False)
    hers = Mailbox(client, "/", "hello", "disconnect")
    await client.connect(url, wait_timeout=PATIENCE)
    sid = client.get_sid("/")
    socket, *_ = await mail.next("socket_connected", lambda s, *_: s["id"] == sid)
    print("connected:", socket["nsp"], "own room" if socket["rooms"] == [sid] else socket["rooms"])
    await admin.emit("join", ("/", "vip", sid), namespace="/admin")
    _, room, *_ = await mail.next("room_joined", lambda nsp, room, of, *_: of == sid and room != sid)
    print("joined:", room)
    await admin.emit("emit", ("/", "vip", "hello", {"n": 1}), namespace="/admin")
    print("received:", (await hers.next("hello"))[0])
    await admin.emit("_disconnect", ("/", False, sid), namespace="/admin")
    await hers.next("disconnect")
    print("disconnected")
    await client.disconnect()
    await admin.disconnect()


asyncio.run(main(*sys.argv[1:]))
