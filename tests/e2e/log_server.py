"""log_server.py ADDRESS PORT FILE [CERTIFICATE KEY]: a WebSocket server that appends every text message to FILE, a
line each, and answers pings when what came before is written."""
import base64
import hashlib
import socket
import ssl
import sys
import threading

address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
out = open(path, "ab", buffering=0)


def serve(connection):
    stream = connection.makefile("rb")
    key = b""
    while (line := stream.readline().strip()):
        if line.lower().startswith(b"sec-websocket-key:"):
            key = line.split(b":", 1)[1].strip()
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while (head := stream.read(2)) and len(head) == 2:
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        mask = stream.read(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.read(size)))
        if head[0] & 15 == 1:
            out.write(data + b"\n")
        elif head[0] & 15 == 9:
            connection.sendall(bytes([0x8a, size]) + data)


def guarded(connection):
    try:
        if len(sys.argv) > 4:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[4], sys.argv[5])
            connection = context.wrap_socket(connection, server_side=True)
        serve(connection)
    except OSError:
        pass
    connection.close()


listener = socket.create_server((address, port))
while True:
    threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
