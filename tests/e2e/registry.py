"""registry.py WORK: serves WORK/www over https, and a module registry beside it.

WORK/cert and WORK/key are the certificate; the port is written to WORK/port, and every path asked for to WORK/asked.
Paths below /v1/modules/private want the token "secret".
"""
import functools
import http.server
import json
import ssl
import sys

work = sys.argv[1]
VERSIONS = ["1.0.0", "1.2.0", "1.10.1", "2.0.0-beta1", "no version"]


class Registry(http.server.SimpleHTTPRequestHandler):
    def answer(self, status, text="", kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def module(self, parts):
        space, name, _, *rest = parts
        if space == "private" and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401)
        if name == "none":
            return self.answer(404)
        if rest == ["versions"]:
            return self.answer(200, json.dumps({"modules": [{"versions": [{"version": v} for v in VERSIONS]}]}))
        version = rest[0]
        if name == "lost":
            return self.answer(204)
        if name == "body":
            return self.answer(200, json.dumps({"location": "/packs/" + version + ".tar.gz//inner"}))
        return self.answer(204, headers=[("X-Terraform-Get", "../../../../../../packs/%s.tar.gz?archive=tar.gz" % version)])

    def do_GET(self):
        with open(work + "/asked", "a", encoding="utf-8") as out:
            out.write(self.path + "\n")
        path = self.path.split("?")[0]
        if path == "/.well-known/terraform.json":
            return self.answer(200, json.dumps({"modules.v1": "/v1/modules"}))
        if path.startswith("/v1/modules/"):
            return self.module(path.split("/")[3:])
        if path == "/page":
            return self.answer(200, '<html><head><META content="https://%s/packs/1.2.0.tar.gz" name="terraform-get">'
                               % self.headers["Host"], "text/html")
        if path == "/header":
            return self.answer(200, "{}", headers=[("X-Terraform-Get", "./packs/1.0.0.tar.gz//inner")])
        if path == "/circle":
            return self.answer(200, "{}", headers=[("X-Terraform-Get", "/circle")])
        return super().do_GET()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Registry, directory=work + "/www"))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(work + "/cert", work + "/key")
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(work + "/port", "w", encoding="utf-8") as port:
    port.write(str(server.server_port))
server.serve_forever()
