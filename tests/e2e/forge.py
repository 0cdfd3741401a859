"""forge.py FOLDER: a forge's API as far as comments and commit statuses go. Writes its port to FOLDER/port and each
request, a JSON document a line, to FOLDER/requests. A request is authorized when it carries the token forge-token-1
in one of the ways the forges take it.
"""
import http.server
import json
import os
import sys

folder = sys.argv[1]
TOKEN = "forge-token-1"


class Forge(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length).decode()
        given = [self.headers.get("Authorization", ""), self.headers.get("PRIVATE-TOKEN", "")]
        authorized = any(word in (TOKEN, "Bearer " + TOKEN, "token " + TOKEN) for word in given)
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as out:
            out.write(json.dumps({"path": self.path, "authorized": authorized, "body": body}) + "\n")
        answer = b'{"id":1}'
        self.send_response(201 if authorized else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


os.makedirs(folder, exist_ok=True)
server = http.server.HTTPServer(("127.0.0.1", 0), Forge)
with open(os.path.join(folder, "port.new"), "w", encoding="utf-8") as out:
    out.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
