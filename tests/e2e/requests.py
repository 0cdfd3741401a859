"""requests.py ADDRESS HOST CA STOPFILE COUNT: asks for http://HOST/ and https://HOST/ at ADDRESS, over connections
that are kept and over fresh ones, until there were COUNT requests and STOPFILE exists. Prints "ASKED FAILED", and
what failed."""
import http.client
import os
import socket
import ssl
import sys
import threading
import time

address, host, authority, stop_file, count = sys.argv[1:5] + [int(sys.argv[5])]
context = ssl.create_default_context(cafile=authority)
lock = threading.Lock()
asked, failures = 0, []
last = time.monotonic() + 120


class Secure(http.client.HTTPSConnection):
    def connect(self):
        raw = socket.create_connection((address, 443), 10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(raw, server_hostname=host)


class Plain(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.create_connection((address, 80), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def done():
    return time.monotonic() > last or (asked >= count and os.path.exists(stop_file))


def visit(kind, per_connection):
    global asked
    while not done():
        connection = kind(host, timeout=10)
        for _ in range(per_connection):
            problem = None
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                if answer.read() != b"steady\n" or answer.status != 200:
                    problem = f"status {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            with lock:
                asked += 1
                if problem:
                    failures.append(f"{kind.__name__} {problem}")
            if problem or connection.sock is None:
                break
        connection.close()


threads = [threading.Thread(target=visit, args=args)
           for args in ((Plain, 100), (Plain, 1), (Secure, 100), (Secure, 1))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(asked, len(failures))
for line in failures[:10]:
    print(line)
