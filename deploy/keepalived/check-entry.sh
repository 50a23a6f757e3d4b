#!/bin/sh
# Exit code 0 while this machine's Nginx answers and reaches a node. A node that says "not ready" (503) counts: then
# PostgreSQL is away for the other machine as well, and moving the address would only cost everybody a reconnect.
# Nginx itself answers 502 or 504 where no node can be reached.
status=$(curl --silent --output /dev/null --max-time 3 --write-out '%{http_code}' http://127.0.0.1:8079/readyz)
case $status in
200 | 503) exit 0 ;;
esac
exit 1
