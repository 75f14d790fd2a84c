#!/bin/sh
# Waits for orders until it is told to stop.
trap 'echo "worker: stopping"; exit 0' TERM INT
echo "worker: ready"
while true; do sleep 1 & wait $!; done
