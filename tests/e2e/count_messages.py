"""count_messages.py FOLDER NAME...: FOLDER/NAME.sock leads to FOLDER/NAME/agent.sock; on a signal, writes how many
messages each has carried to FOLDER/counts ("NAME N" a line) and begins anew."""
import os
import signal
import socket
import sys
import threading

folder, names = sys.argv[1], sys.argv[2:]
counts = dict.fromkeys(names, 0)


def pump(source, sink, name):
    while True:
        try:
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return
        if name:
            counts[name] += data.count(b"\n")
        sink.sendall(data)


def serve(name):
    path = f"{folder}/{name}.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    while True:
        client, _ = server.accept()
        agent = socket.socket(socket.AF_UNIX)
        agent.connect(f"{folder}/{name}/agent.sock")
        threading.Thread(target=pump, args=(client, agent, name), daemon=True).start()
        threading.Thread(target=pump, args=(agent, client, None), daemon=True).start()


def write(*_):
    with open(f"{folder}/counts.new", "w") as out:
        for name in names:
            out.write(f"{name} {counts[name]}\n")
            counts[name] = 0
    os.rename(f"{folder}/counts.new", f"{folder}/counts")


signal.signal(signal.SIGUSR1, write)
for name in names:
    threading.Thread(target=serve, args=(name,), daemon=True).start()
while True:
    signal.pause()
