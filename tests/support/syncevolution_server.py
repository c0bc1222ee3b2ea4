"""Starts SyncEvolution's HTTP server on a free loopback port and prints its URL.

Debian's syncevo-http-server cannot be started as it is: its first line still
names a build variable, and it listens on every interface, on a port that must
be chosen beforehand. Its classes are sound, so this file loads them and joins
them to a listener of its own. Needs DBUS_SESSION_BUS_ADDRESS, and
syncevo-dbus-server on that bus.
"""

import importlib.machinery
import importlib.util
import logging
import os
import sys
import urllib.parse

SCRIPT = "/usr/bin/syncevo-http-server"
PATH = "syncevolution"


def load():
    loader = importlib.machinery.SourceFileLoader("syncevo_http", SCRIPT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("syncevo_http", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def watch(bus):
    """Ends this process when syncevo-dbus-server does: whoever asks gets an error at once, not silence until a time is up."""
    seen = []

    def changed(owner):
        if owner:
            seen.append(owner)
            print("the worker is there", flush=True)
        elif seen:
            print("syncevo-dbus-server has gone", file=sys.stderr, flush=True)
            os._exit(3)

    bus.watch_name_owner("org.syncevolution", changed)


def main():
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    syncevo = load()
    syncevo.TwistedLogging().start()
    syncevo.Context.bus = syncevo.dbus.SessionBus()
    watch(syncevo.Context.bus)
    post = syncevo.SyncMLPost(None)
    root = syncevo.resource.Resource()
    root.putChild(PATH.encode(), post)
    listener = syncevo.reactor.listenTCP(0, syncevo.server.Site(root), interface="127.0.0.1")
    url = f"http://127.0.0.1:{listener.getHost().port}/{PATH}"
    post.url = urllib.parse.urlparse(url)
    syncevo.reactor.callWhenRunning(lambda: print(f"listening on {url}", flush=True))
    syncevo.reactor.run()


main()
