#!/usr/bin/env python3
"""A GSM modem behind a pseudo terminal, as far as SMS daemons need one: prints its device, then one line of hexadecimal
digits for each PDU that it was given to send. Ends when its standard input does."""

import os
import pty
import re
import select
import sys
import tty

master, slave = pty.openpty()
tty.setraw(slave)
tty.setraw(master)
print(os.ttyname(slave), flush=True)

pending = b""
expecting = None
reference = 0
echo = True

ANSWERS = [
    (rb"\+CGMI", "WAVECOM MODEM"),
    (rb"\+CGMM|\+GMM", "MULTIBAND 900E 1800"),
    (rb"\+CGMR", "V 1.0"),
    (rb"\+CGSN|\+GSN", "490154203237518"),
    (rb"\+CIMI", "244121234567890"),
    (rb"\+CPIN\?", "+CPIN: READY"),
    (rb"\+CREG\?", "+CREG: 0,1"),
    (rb"\+CGREG\?", "+CGREG: 0,1"),
    (rb"\+CSQ", "+CSQ: 20,0"),
    (rb"\+COPS\?", '+COPS: 0,2,"24412"'),
    (rb"\+CSCA\?", '+CSCA: "+358508771010",145'),
    (rb"\+CMGF=\?", "+CMGF: (0,1)"),
    (rb"\+CPMS=\?", '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")'),
    (rb"\+CPMS\?", '+CPMS: "SM",0,30,"SM",0,30,"SM",0,30'),
    (rb"\+CPMS=", "+CPMS: 0,30,0,30,0,30"),
    (rb"\+CNMI=\?", "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"),
    (rb"\+CBC", "+CBC: 0,100"),
    (rb"\+CSMS", "+CSMS: 1,1,1"),
    (rb"\+CSCS=\?", '+CSCS: ("GSM","UCS2","HEX")'),
    (rb"\+CSCS\?", '+CSCS: "GSM"'),
]


def write(text):
    os.write(master, ("\r\n" + text + "\r\n").encode())


def command(line):
    global expecting, echo
    if echo:
        os.write(master, line + b"\r")
    if re.search(rb"E[01]", line, re.I):
        echo = b"0" not in line
    sent = re.search(rb"\+CMGS=(\d+)", line, re.I)
    if sent:
        expecting = int(sent.group(1))
        os.write(master, b"\r\n> ")
        return
    if re.search(rb"\+MODE|\+CUSD|\^|\*", line, re.I):
        # Commands of some makers, which change how daemons speak to us.
        write("ERROR")
        return
    for pattern, answer in ANSWERS:
        if re.search(pattern, line, re.I):
            write(answer)
            break
    write("OK")


while True:
    ready, _, _ = select.select([master, sys.stdin], [], [])
    if sys.stdin in ready and not sys.stdin.buffer.read1(1024):
        break
    if master not in ready:
        continue
    try:
        pending += os.read(master, 4096)
    except OSError:
        continue
    while True:
        if expecting is not None:
            if b"\x1a" not in pending:
                break
            pdu, pending = pending.split(b"\x1a", 1)
            expecting = None
            print(pdu.strip().decode().upper(), flush=True)
            reference = (reference + 1) % 256
            write("+CMGS: %d" % reference)
            write("OK")
            continue
        end = re.search(rb"[\r\n]", pending)
        if not end:
            break
        line, pending = pending[: end.start()].strip(), pending[end.end():]
        if line:
            command(line)
