#!/usr/bin/env python3
"""broken_server.py FOLDER PORT LOG: a web server whose connections break.

It knows ranges and versions (ETag). The first answer for each path under /breaks/ ends in its middle; so does
every fifth block under /blocks/. Under /cut/ everything ends early, and nothing says how long it would have
been. LOG gets a line per request: status, path.
"""
import http.server
import os
import sys
import threading

folder, port, log = sys.argv[1:]
lock = threading.Lock()
seen = {}


def count(path):
    with lock:
        seen[path] = seen.get(path, 0) + 1
        return seen[path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        with lock, open(log, "a", encoding="utf-8") as out:
            out.write(f"{status} {self.path}\n")

    def breaks(self):
        if self.path.startswith("/breaks/"):
            return count(self.path) == 1
        return self.path.startswith("/blocks/") and count("/blocks/") % 5 == 0

    def head(self, status, headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        kind, _, name = self.path.lstrip("/").partition("/")
        path = os.path.join(folder, "blocks/" + name if kind == "blocks" else name)
        if not os.path.isfile(path):
            self.head(404, {"Content-Length": "0"})
            return
        with open(path, "rb") as file:
            data = file.read()
        if kind == "cut":
            self.close_connection = True
            self.head(200, {"Connection": "close"})
            self.wfile.write(data[: len(data) * 2 // 3])
            return
        tag = f'"{os.stat(path).st_mtime_ns}"'
        if self.headers.get("If-None-Match") == tag:
            self.head(304, {"ETag": tag})
            return
        start = 0
        if self.headers.get("Range") and self.headers.get("If-Range", tag) == tag:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        headers = {"ETag": tag, "Content-Length": str(len(data) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        data = data[start:]
        if self.breaks():
            data = data[: len(data) // 2]
            self.close_connection = True
        self.head(206 if start else 200, headers)
        self.wfile.write(data)


http.server.ThreadingHTTPServer(("198.18.0.2", int(port)), Handler).serve_forever()
