#!/bin/sh
# Prints where Chromium is; fails in silence where there is none. With --install, gets it by apt as root.
set -u

find_chromium() {
  for name in chromium google-chrome chromium-browser \
    '/Applications/Chromium.app/Contents/MacOS/Chromium' \
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
    command -v "$name" && return
  done
  return 1
}

find_chromium && exit
[ "${1:-}" = --install ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 1
echo 'installing chromium for the tests of the UI ...' >&2
{
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
} >/dev/null </dev/null
find_chromium
