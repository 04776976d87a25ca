"""A python-socketio client that goes through what it can do, and prints a line of JSON for whatever it learns.

usage: client.py URL TRANSPORT[,TRANSPORT]
"""
import asyncio
import json
import sys

import socketio

PATIENCE = 30  # seconds that anything may take


def say(*what):
    print(json.dumps(what), flush=True)


class Mailbox:
    """Keeps the events of one client in order of arrival."""

    def __init__(self, client, *events, namespace="/"):
        self.queues = {event: asyncio.Queue() for event in events}
        for event in events:
            client.on(event, self.keeper(event), namespace=namespace)

    def keeper(self, event):
        async def keep(*args):
            await self.queues[event].put(list(args))
        return keep

    async def next(self, event):
        return await asyncio.wait_for(self.queues[event].get(), PATIENCE)


async def visit(url, transports):
    client = socketio.AsyncClient(reconnection=False)
    client.on("question", lambda text: text + "!")
    main = Mailbox(client, "echoed", "reply", "room", "answered", "disconnect")
    admin = Mailbox(client, "echoed", namespace="/admin")
    await client.connect(url, transports=transports, auth={"token": "good"}, namespaces=["/", "/admin"], wait_timeout=30)
    say("connected", client.transport(), client.get_sid("/") != client.get_sid("/admin"))

    await client.emit("echo", ("text", 7, {"deep": [True, None]}))
    say("echoed", await main.next("echoed"))
    await client.emit("echo", {"blob": bytes(range(4)), "list": [b"x", b""]})
    (parcel,) = await main.next("echoed")
    say("binary", list(parcel["blob"]), [list(b) for b in parcel["list"]])
    say("acknowledged", await client.call("mirror", ("a", [1])))
    await client.emit("ask", "6 x 7")
    say("answered", await main.next("answered"))

    await client.call("join", "python")
    await client.emit("toRoom", ("python", "to the room"))
    say("room", await main.next("room"))
    await client.call("leave", "python")
    await client.emit("toRoom", ("python", "to nobody"))
    await client.emit("shout", "to everyone")
    say("reply", await main.next("reply"), main.queues["room"].qsize())

    await client.emit("echo", "from admin", namespace="/admin")
    say("admin", await admin.next("echoed"))
    await client.emit("kick", True)
    await main.next("disconnect")
    say("gone")


asyncio.run(visit(sys.argv[1], sys.argv[2].split(",")))
