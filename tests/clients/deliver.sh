#!/bin/sh
# Takes one message on standard input into the folder $1, as the next number.
set -e
number=$(find "$1" -type f | wc -l)
cat > "$1/$((number + 1))"
