"""An API that stands in for those that the examples call: `python local_api.py PORT [PREFIX]`.

It accepts access tokens of the app client that the environment variables with this prefix name (COGNITO_), and answers with what
it was asked, and the scopes of the token.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cognito_flow import AppClient, TokenRejected, TokenVerifier


class Api(BaseHTTPRequestHandler):
    verifier: TokenVerifier

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = self.verifier.verify_access(token)
        except TokenRejected:
            self.send_error(401)
            return
        body = json.dumps({"path": self.path, "scopes": sorted(claims.scopes)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Api.verifier = TokenVerifier(AppClient.from_env(*sys.argv[2:]))
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Api) as server:
        server.serve_forever()
