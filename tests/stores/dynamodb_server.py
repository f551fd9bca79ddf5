"""moto's DynamoDB, one request at a time: ``python dynamodb_server.py PORT``, in an environment with moto[server].

moto checks a condition and writes in two steps. Its own server answers requests in threads, so that on a busy
machine two conditional writes may both succeed (seen: 2 of 1,500), which DynamoDB never allows.
"""

from __future__ import annotations

import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
