#!/bin/sh
# Makes up the secrets that compose.yaml reads, in secrets/ beside it, once: what is there stays.
set -eu
umask 077
cd "${1:-$(dirname "$0")}"
mkdir -p secrets
word() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # name, text: files are read by the container's user, the folder by its owner alone
  [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
  chmod 444 "secrets/$1"
}
keep postgresql_password "$(word)"
address="postgresql://headwater:$(cat secrets/postgresql_password)@postgresql:5432"
keep catalog_uri "$address/headwater"
keep dagster_uri "$address/dagster"
keep s3_key "$(word)"
keep s3_secret "$(word)"
