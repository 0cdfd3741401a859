"""agent_abuse.py SOCKET: connections that come in crowds, send what is no message, or do not read."""
import json
import socket
import sys
import time

path = sys.argv[1]
failures = 0


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(path)
    return s


def line(s):
    data = b""
    while not data.endswith(b"\n"):
        chunk = s.recv(1 << 16)
        if not chunk:
            break
        data += chunk
    return data


def request(method, number=1, **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


def facts(s):
    s.sendall(request("node.facts"))
    return "result" in json.loads(line(s))


def report(name, fine):
    global failures
    failures += not fine
    print(("ok " if fine else "FAILED ") + name)


def error_code(data):
    s = connect()
    s.sendall(data)
    return json.loads(line(s)).get("error", {}).get("code")


def crowd():
    crowd = [connect() for _ in range(200)]
    for s in crowd:
        s.sendall(request("node.facts"))
    answers = [json.loads(line(s)) for s in crowd]
    return all(a["result"]["name"] for a in answers)


def pieces():
    s = connect()
    for byte in request("node.facts"):
        s.sendall(bytes([byte]))
    return "result" in json.loads(line(s))


def oversized():
    s = connect()
    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"workload.read","params":{"ids":["')
    for _ in range(9):
        s.sendall(b"x" * (1 << 20))
    s.sendall(b'"]}}\n')
    return json.loads(line(s)).get("error", {}).get("code") == -32600 and facts(s)


def slow_readers():
    """They ask and ask and never read; others are served meanwhile."""
    slow = [connect() for _ in range(4)]
    for s in slow:
        s.settimeout(0.2)
        try:
            for i in range(3000):
                s.sendall(request("node.facts", i))
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
    start = time.time()
    served = facts(connect())
    return served and time.time() - start < 25


report("200 connections at once", crowd())
report("a message that comes in single bytes", pieces())
report("what is no JSON", error_code(b"\x00\xff{]\n") == -32700)
report("what is nested too deeply", error_code(b"[" * 100000 + b"\n") == -32700)
report("what is no request", error_code(b'{"jsonrpc":"2.0","id":1,"method":7}\n') == -32600)
report("an id out of the folder", error_code(request("workload.ensure", id="../x", type="zmount", spec={})) == -32602)
report("a type nobody knows", error_code(request("workload.ensure", id="x", type="nope", spec={})) == -32000)
report("an oversized message, and the connection goes on", oversized())
report("those that do not read keep nobody waiting", slow_readers())
report("the agent answers after all that", facts(connect()))
sys.exit(failures != 0)
