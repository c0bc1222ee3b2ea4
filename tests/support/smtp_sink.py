"""A submission server on aiosmtpd: takes mail, refuses it, or loses its link, as the recipient's name says.

    smtp_sink.py [starttls|tls KEY CERTIFICATE] [login]

Prints a line of JSON for its port and for each event. Local parts of recipients:
never: 550. later: 451 the first time. refuse: 554 after the content. postpone: 451 after the content, the first time.
lose: the link breaks when the content is there. early: the link breaks at RCPT, the first time. What has another name is taken.
"""
import asyncio
import base64
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

seen = set()


def say(**event):
    print(json.dumps(event), flush=True)


def first(name):
    new = name not in seen
    seen.add(name)
    return new


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "never":
            return "550 5.1.1 no such user"
        if name == "later" and first(address):
            return "451 4.2.1 come back later"
        if name == "early" and first(address):
            say(event="lost", at="rcpt")
            server.transport.abort()
            return "250 OK"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        names = [address.split("@")[0] for address in envelope.rcpt_tos]
        if "refuse" in names:
            say(event="refused")
            return "554 5.7.1 looks like spam"
        if "postpone" in names and first("postpone"):
            say(event="postponed")
            return "451 4.3.0 no room"
        say(
            event="mail",
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            tls=bool(session.ssl or server.transport.get_extra_info("ssl_object")),
            user=session.auth_data,
            data=base64.b64encode(envelope.original_content).decode(),
        )
        if "lose" in names:
            server.transport.abort()
        return "250 OK queued"

    async def auth_XOAUTH2(self, server, args):
        given = args[1] if len(args) > 1 else (await server.challenge_auth("")).decode()
        text = base64.b64decode(given).decode() if len(args) > 1 else given
        user = text.split("\x01")[0].removeprefix("user=")
        if "auth=Bearer token-1" not in text.split("\x01"):
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=f"{user} by token")


def password(server, session, envelope, mechanism, data):
    user, secret = data.login.decode(), data.password.decode()
    if (user, secret) != ("ann", "p\u00e4ss"):
        say(event="login refused")
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=f"{user} by {mechanism}")


async def main():
    arguments = sys.argv[1:]
    context, mode = None, None
    if arguments and arguments[0] in ("starttls", "tls"):
        mode, key, certificate = arguments[:3]
        arguments = arguments[3:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    login = "login" in arguments

    def protocol():
        return SMTP(
            Handler(),
            hostname="sink.example",
            tls_context=context if mode == "starttls" else None,
            require_starttls=mode == "starttls",
            authenticator=password if login else None,
            auth_required=login,
            auth_require_tls=False,
            data_size_limit=None,
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    say(event="port", port=server.sockets[0].getsockname()[1])
    # The end of standard input is the end of the test.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
