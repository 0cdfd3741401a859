"""forge.py FOLDER: a forge's API as far as comments and commit statuses go. Writes its port to FOLDER/port and each
request that changes something, a JSON document a line, to FOLDER/requests. What was posted can be listed. A request is authorized when it carries the token forge-token-1
in one of the ways the forges take it.
"""
import http.server
import json
import os
import sys

folder = sys.argv[1]
TOKEN = "forge-token-1"


posted = {}


class Forge(http.server.BaseHTTPRequestHandler):
    def is_authorized(self):
        given = [self.headers.get("Authorization", ""), self.headers.get("PRIVATE-TOKEN", "")]
        return any(word in (TOKEN, "Bearer " + TOKEN, "token " + TOKEN) for word in given)

    def answer(self, status, document):
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.is_authorized():
            self.answer(200, posted.get(self.path.partition("?")[0], []))
        else:
            self.answer(401, [])

    def change(self):
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length).decode()
        authorized = self.is_authorized()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as out:
            out.write(json.dumps({"method": self.command, "path": self.path, "authorized": authorized, "body": body}) + "\n")
        if authorized and self.command == "POST" and isinstance(body, dict):
            there = posted.setdefault(self.path, [])
            there.append({**body, "id": len(there) + 1})
        self.answer(201 if authorized else 401, {"id": 1})

    do_POST = do_PATCH = do_PUT = change

    def log_message(self, *arguments):
        pass


os.makedirs(folder, exist_ok=True)
server = http.server.HTTPServer(("127.0.0.1", 0), Forge)
with open(os.path.join(folder, "port.new"), "w", encoding="utf-8") as out:
    out.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
