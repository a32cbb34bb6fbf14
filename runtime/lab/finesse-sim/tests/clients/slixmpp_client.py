"""Signs in with slixmpp, subscribes, and waits for events: the notification service as a client of others sees it.

Arguments: what the simulator printed on its first line (JSON), and `tls` or `starttls`. Prints what came, as JSON.
"""

import asyncio
import json
import ssl
import sys
import urllib.request
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

ANNOUNCED, HOW = json.loads(sys.argv[1]), sys.argv[2]
NODE = ANNOUNCED["nodes"][0]
TRUST = ssl.create_default_context(cafile=ANNOUNCED["ca"])
PASSWORD = ANNOUNCED["agents"]["password"]


def put(path, body):
    """A PUT as agent 1001; gives the status."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, NODE["rest"], "1001", PASSWORD)
    opener = urllib.request.build_opener(
        urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPSHandler(context=TRUST)
    )
    request = urllib.request.Request(NODE["rest"] + path, body.encode(), {"requestId": "r-1"}, method="PUT")
    with opener.open(request, timeout=30) as answer:
        return answer.status


class Client(slixmpp.ClientXMPP):
    def __init__(self, user):
        super().__init__(f"{user}@{NODE['host']}/slixmpp", PASSWORD)
        self.ca_certs = ANNOUNCED["ca"]
        self.started, self.finesse = asyncio.Event(), asyncio.Queue()
        self.events = asyncio.Queue()
        self.register_plugin("xep_0060")
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("presence", self.seen)
        message = "{jabber:client}message/{http://jabber.org/protocol/pubsub#event}event"
        self.register_handler(Callback("finesse", MatchXPath(message), self.notified))

    def seen(self, presence):
        if presence["from"].user == "finesse":
            self.finesse.put_nowait(presence["type"])

    def notified(self, message):
        items = message.xml.find(".//{http://jabber.org/protocol/pubsub#event}items")
        payload = message.xml.find(".//{urn:xmpp:push:0}notification").text
        self.events.put_nowait((items.get("node"), str(message["to"]), payload))

    async def enter(self):
        host, port = NODE["xmpp"][HOW].split(":")
        if HOW == "tls":
            self.enable_direct_tls, self.enable_starttls = True, False
        else:
            self.enable_direct_tls, self.enable_starttls = False, True
        self.enable_plaintext = False
        self.connect(host, int(port))
        await asyncio.wait_for(self.started.wait(), 30)
        roster = await self.get_roster()
        self.send_presence(ppriority=0)
        assert await asyncio.wait_for(self.finesse.get(), 30) == "available"
        return [str(item["jid"]) for item in roster["roster"]]

    async def until(self, topic, text):
        while True:
            node, to, payload = await asyncio.wait_for(self.events.get(), 30)
            if node == topic and text in payload:
                return to, ET.fromstring(payload)


async def main():
    agent, supervisor = Client("1001"), Client("sup1")
    roster = await agent.enter()
    await supervisor.enter()
    service, users = f"pubsub.{NODE['host']}", "/finesse/api/Team/1/Users"
    await supervisor.plugin["xep_0060"].subscribe(service, users, bare=False)
    loop = asyncio.get_running_loop()
    extension = ANNOUNCED["agents"]["firstExtension"]
    login = f"<User><state>LOGIN</state><extension>{extension}</extension></User>"
    status = await loop.run_in_executor(None, put, "/finesse/api/User/1001", login)
    to, update = await agent.until("/finesse/api/User/1001", "NOT_READY")
    seen_by_supervisor, _ = await supervisor.until(users, "NOT_READY")
    await supervisor.plugin["xep_0060"].unsubscribe(service, users, bare=False)
    refused = None
    try:
        await agent.plugin["xep_0060"].subscribe(service, "/finesse/api/Nothing", bare=False)
    except slixmpp.exceptions.IqError as error:
        refused = error.condition
    await agent.plugin["xep_0199"].ping(NODE["host"], timeout=30)
    print(json.dumps({
        "status": status,
        "roster": roster,
        "to": to,
        "supervisor": seen_by_supervisor,
        "event": update.findtext("event"),
        "request": update.findtext("requestId"),
        "source": update.findtext("source"),
        "state": update.findtext("data/user/state"),
        "refused": refused,
    }))
    for client in (agent, supervisor):
        client.disconnect()
    await asyncio.sleep(0)


asyncio.run(asyncio.wait_for(main(), 100))
